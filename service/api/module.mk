# SPDX-License-Identifier: Apache-2.0
archives += service/api/api
service/api/api.src := service/api/error.c
