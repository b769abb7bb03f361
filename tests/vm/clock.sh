#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots with a wrong clock: one in the future, one in the past, and what is left of it afterwards.
#
# Promises: D1
set -u

cd "$(dirname -- "$0")/../.." || exit
[ -e /etc/redoubt-tools ] || exec image/tools/enter sh tests/vm/clock.sh
. tests/lib/vm.sh

admin() { vm_ssh ann "$@" </dev/null; }
# https: a client whose clock is right verifies the certificate.
https() { [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 20 --cacert "$vm_dir/ca.pem" "$url/v1/orgs/self")" = 401 ]; }
days_left() { openssl s_client -connect "127.0.0.1:$vm_https_port" </dev/null 2>/dev/null | openssl x509 -noout -checkend "$1"; }

vm_prepare || exit 1
vm_make_key
vm_write_config ann
vm_extra="-rtc base=2039-03-01T00:00:00"
tap "D1: with a clock in 2039 a first boot comes up" boot '2039'
tap "the admin signs in" tap_until 120 admin whoami
admin certificate ca >"$vm_dir/ca.pem"
tap "D1: and HTTPS verifies for whoever's clock is right" tap_until 30 https
tap "the status says that the clock is doubtful" tap_until 60 says 'the clock says 2039-03-01.*image was built' admin status
tap "so does the ledger" says 'appliance.clock.doubtful' admin audit list --filter clock.doubtful
vm_stop

vm_extra=
tap "D1: with the right clock again it comes up" boot 'the right clock'
tap "D1: HTTPS verifies with the same CA" tap_until 60 https
tap "the certificate is a short one again" not days_left $((91 * 86400))
tap "nothing is said of the clock any more" not says 'the clock says' admin status
tap "certificate renew makes another one" says 'the certificate is new' admin certificate renew
tap "which HTTPS uses" tap_until 60 https
vm_stop

vm_extra="-rtc base=2003-03-01T00:00:00"
tap "D1: with a clock in 2003 it comes up" boot '2003'
tap "D1: and HTTPS verifies" tap_until 60 https
tap "systemd has started the clock at the image's build" sh -c "! curl -sk -D - -o /dev/null '$url/' | grep -i '^date:.*2003'"
tap "the admin signs in" tap_until 120 admin whoami
tap "the ledger verifies" says valid admin audit verify
vm_stop
tap_done
