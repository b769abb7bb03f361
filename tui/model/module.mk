# SPDX-License-Identifier: Apache-2.0
archives += tui/model/model
tui/model/model.src := tui/model/client.c tui/model/decode.c tui/model/figure.c tui/model/method.c tui/model/rows.c tui/model/session.c tui/model/text.c \
	tui/model/words.c
