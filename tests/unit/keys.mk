# SPDX-License-Identifier: Apache-2.0
keys_tests := aead keyring keys
tests += $(keys_tests:%=tests/unit/test-%)
$(foreach t,$(keys_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := tests/lib/testlib service/keys/keys common/keyring/keyring common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs)))

tests += tests/unit/test-keys-serve
threaded += tests/unit/test-keys tests/unit/test-keys-serve
tests/unit/test-keys-serve.src  := tests/unit/test-keys-serve.c
tests/unit/test-keys-serve.libs := tests/lib/testlib service/keys/keys appliance/keys/keys \
	common/keyring/keyring common/common
tests/unit/test-keys-serve.pkgs := $(common_pkgs) tss2-esys tss2-mu

# Asks a running redoubt-keys, for tests/integration/keys.sh.
helpers += tests/lib/ask-keys
tests/lib/ask-keys.src  := tests/lib/ask-keys.c
tests/lib/ask-keys.libs := service/keys/keys common/keyring/keyring common/common
tests/lib/ask-keys.pkgs := $(common_pkgs)
