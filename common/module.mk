# SPDX-License-Identifier: Apache-2.0
archives += common/common
common/common.src := common/buf.c common/bytes.c common/channel.c common/clock.c common/crc32c.c common/heap.c common/log.c \
	common/loop.c common/msg.c common/names.c common/sandbox.c common/sandbox_test.c common/secret.c \
	common/utf8.c common/crypto/aead.c common/crypto/box.c common/crypto/crypto.c common/proto/access.c common/proto/audit.c \
	common/proto/execute.c common/proto/job.c common/proto/keys.c common/proto/operations.c common/proto/people.c common/proto/queries.c common/proto/tally.c

# Keys that wrap keys, and the files they lie in.
archives += common/keyring/keyring
common/keyring/keyring.src := common/keyring/keyfile.c common/keyring/keyring.c common/keyring/keyset.c \
	common/keyring/lock.c common/keyring/master.c

# What a program that links common needs from outside.
common_pkgs := libsystemd libcrypto libseccomp
