/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * names: what things may be called, checked once where they come in.
 *
 * Layer 1 (common). Pure functions over (pointer, length).
 */

#include <stddef.h>

constexpr size_t NAME_PERSON_MAX = 31;	   /* a UNIX user name: useradd(8) */
constexpr size_t NAME_RESOURCE_MAX = 2048; /* workspace, collection */
constexpr size_t NAME_API_KEY_MAX = 64;
constexpr size_t NAME_EMAIL_MAX = 254; /* RFC 5321 section 4.5.3.1.3 */
constexpr size_t NAME_HOST_MAX = 253;  /* RFC 1035 section 2.3.4 */

/* Whether text[len] may be a person's name: a lower-case letter, then a-z 0-9 - _, and not one the system uses. */
[[nodiscard]] bool name_is_person(const char *text, size_t len);

/* Whether text[len] may be a workspace's name: letters, digits, - and _, parts joined by dots. */
[[nodiscard]] bool name_is_workspace(const char *text, size_t len);

/* Whether text[len] may be a collection's name: letters, digits, - and _. */
[[nodiscard]] bool name_is_collection(const char *text, size_t len);

/* Whether text[len] may be an API key's name: 1 to 64 printable characters without blanks at its ends. */
[[nodiscard]] bool name_is_api_key(const char *text, size_t len);

/* Whether text[len] looks like local@domain; nobody is asked whether it exists. */
[[nodiscard]] bool name_is_email(const char *text, size_t len);

/* Whether text[len] is a host name: labels of letters, digits and -, joined by dots. Source: RFC 1123 section 2.1. */
[[nodiscard]] bool name_is_host(const char *text, size_t len);
