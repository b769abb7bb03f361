# SPDX-License-Identifier: Apache-2.0
# Links common/keyring/keyring and common/common.
archives += service/keys/keys
service/keys/keys.src := service/keys/keys.c
