# SPDX-License-Identifier: Apache-2.0
archives += tui/screen/screen
tui/screen/screen.src := tui/screen/screen.c
