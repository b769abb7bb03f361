# SPDX-License-Identifier: Apache-2.0
archives += appliance/bus/bus
appliance/bus/bus.src := appliance/bus/bus.c
