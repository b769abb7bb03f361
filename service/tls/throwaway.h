/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * throwaway: a key and a certificate signed by itself, made in memory, for the time before the
 * data volume with the real ones is open.
 *
 * Layer 2 (service/tls), for tls.c only.
 */

#include <openssl/types.h>

/*
 * Make an ECDSA P-256 key and a certificate for it that names nobody and lasts a day.
 *
 * ret_cert  set only on success; free with X509_free()
 * ret_key   set only on success; free with EVP_PKEY_free()
 *
 * Returns 0 or -EIO if the library failed.
 */
[[nodiscard]] int throwaway_make(X509 **ret_cert, EVP_PKEY **ret_key);
