# SPDX-License-Identifier: Apache-2.0
archives += service/value/value
service/value/value.src := service/value/civil.c service/value/match.c service/value/patch.c service/value/value.c service/value/value_json.c \
	service/value/zone.c service/value/zone_rule.c
