# SPDX-License-Identifier: Apache-2.0
archives += service/crew/crew
service/crew/crew.src := $(addprefix service/crew/, crew.c query.c spill.c)
