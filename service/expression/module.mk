# SPDX-License-Identifier: Apache-2.0
archives += service/expression/expression
service/expression/expression.src := $(addprefix service/expression/, eval.c eval_call.c eval_compare.c eval_logic.c \
	eval_number.c eval_text.c eval_time.c like.c memo.c program.c substr.c)

# As in service/column: at -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
expression_kernels := eval_compare eval_number eval_time
$(expression_kernels:%=$(O)/service/expression/%.o): CFLAGS += -O3
endif
