# SPDX-License-Identifier: Apache-2.0
archives += service/disk/disk
service/disk/disk.src := service/disk/cache.c service/disk/file.c service/disk/log.c service/disk/log_frame.c \
	service/disk/log_open.c service/disk/log_read.c service/disk/log_walk.c service/disk/sealed.c \
	service/disk/sealed_head.c service/disk/sealed_writer.c
