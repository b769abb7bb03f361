archives += appliance/bus/bus
appliance/bus/bus.src := appliance/bus/bus.c
