# SPDX-License-Identifier: Apache-2.0
archives += service/function/function
service/function/function.src := $(addprefix service/function/, function.c regex.c udf.c udf_aggregate.c udf_array.c \
	udf_cast.c udf_compare.c udf_format.c udf_hash.c udf_number.c udf_object.c udf_regex.c udf_registry.c udf_search.c udf_sort.c udf_text.c udf_time.c \
	udf_time_make.c udf_time_parse.c udf_time_text.c udf_time_zone.c unnest.c zones.c)
