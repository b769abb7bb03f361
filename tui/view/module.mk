# SPDX-License-Identifier: Apache-2.0
archives += tui/view/view
tui/view/view.src := tui/view/app.c tui/view/audit.c tui/view/box.c tui/view/dashboard.c tui/view/desk.c tui/view/form.c tui/view/frame.c tui/view/grid.c \
	tui/view/keys.c tui/view/line.c tui/view/list.c tui/view/people.c tui/view/queries.c tui/view/setup.c tui/view/tabs.c
