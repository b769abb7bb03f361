# SPDX-License-Identifier: Apache-2.0
archives += service/column/column
service/column/column.src := service/column/filter.c service/column/hash.c
