# SPDX-License-Identifier: Apache-2.0
programs += tui/console/redoubt-console
tui/console/redoubt-console.src  := tui/console/main.c
tui/console/redoubt-console.libs := tui/screen/screen tui/view/view tui/model/model common/common
tui/console/redoubt-console.pkgs := $(common_pkgs) ncursesw
installs += tui/console/redoubt-console:/usr/bin
