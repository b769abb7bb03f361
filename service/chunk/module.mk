# SPDX-License-Identifier: Apache-2.0
archives += service/chunk/chunk
service/chunk/chunk.src := service/chunk/builder.c service/chunk/builder_index.c service/chunk/builder_json.c \
	service/chunk/builder_lanes.c service/chunk/builder_merge.c service/chunk/builder_value.c service/chunk/builder_write.c \
	service/chunk/chunk.c service/chunk/chunk_key.c service/chunk/column.c service/chunk/column_find.c service/chunk/document.c service/chunk/fields.c \
	service/chunk/fields_put.c service/chunk/head.c
