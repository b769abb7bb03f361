# SPDX-License-Identifier: Apache-2.0
archives += service/tls/tls
service/tls/tls.src := service/tls/tls.c service/tls/throwaway.c
