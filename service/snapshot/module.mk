# SPDX-License-Identifier: Apache-2.0
archives += service/snapshot/snapshot
service/snapshot/snapshot.src := $(addprefix service/snapshot/, cluster.c find.c state.c)
