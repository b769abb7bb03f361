# SPDX-License-Identifier: Apache-2.0
archives += service/store/store
service/store/store.src := service/store/catalog.c service/store/db.c service/store/documents.c service/store/store.c

# What a program that links store needs from outside, beside common's.
store_pkgs := sqlite3 yyjson
