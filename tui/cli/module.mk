# SPDX-License-Identifier: Apache-2.0
programs += tui/cli/redoubt
tui/cli/redoubt.src  := tui/cli/main.c tui/cli/request.c tui/cli/run.c tui/cli/show.c tui/cli/verb.c
tui/cli/redoubt.libs := tui/model/model appliance/audit/ledger common/common
tui/cli/redoubt.pkgs := $(common_pkgs) yyjson
installs += tui/cli/redoubt:/usr/bin
