archives += tui/screen/screen
tui/screen/screen.src := tui/screen/screen.c
