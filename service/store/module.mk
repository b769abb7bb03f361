# SPDX-License-Identifier: Apache-2.0
archives += service/store/store
service/store/store.src := service/store/catalog.c service/store/civil.c service/store/db.c service/store/documents.c \
	service/store/patch.c service/store/store.c service/store/value.c service/store/value_json.c

# What a program that links store needs from outside, beside common's.
store_pkgs := sqlite3 yyjson
