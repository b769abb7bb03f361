/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/scratch_vfs.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "service/crew/scratch.h"

constexpr int PATH_ROOM = 64; /* no path is ever made */
/* What SQLite opens by itself for a while, never with a name. */
constexpr int FOR_A_WHILE = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |
			    SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL;

struct opened {
	sqlite3_file base; /* first, too */
	struct scratch_vfs *vfs;
	struct scratch *scratch;
};

static struct opened *opened_of(sqlite3_file *file)
{
	return (struct opened *)(void *)file;
}

/* Remember why a scratch failed; SQLite need only know that it did. */
static int fail(struct scratch_vfs *vfs, int outcome, int code)
{
	if (vfs->outcome == 0)
		vfs->outcome = outcome;
	return outcome == -ENOMEM ? SQLITE_IOERR_NOMEM : code;
}

static int on_close(sqlite3_file *file)
{
	scratch_free_at(&opened_of(file)->scratch);
	return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *ret, int amount, sqlite3_int64 offset)
{
	struct opened *opened = opened_of(file);
	auto want = (size_t)amount;
	size_t len = 0;

	int r = scratch_read(opened->scratch, (uint64_t)offset, ret, want, &len);
	if (r)
		return fail(opened->vfs, r, SQLITE_IOERR_READ);
	if (len == want)
		return SQLITE_OK;
	memset((uint8_t *)ret + len, 0, want - len);
	return SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *file, const void *data, int amount, sqlite3_int64 offset)
{
	struct opened *opened = opened_of(file);
	int r = scratch_write(opened->scratch, (uint64_t)offset, data, (size_t)amount);

	return r ? fail(opened->vfs, r, SQLITE_IOERR_WRITE) : SQLITE_OK;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 len)
{
	struct opened *opened = opened_of(file);
	int r = scratch_truncate(opened->scratch, (uint64_t)len);

	return r ? fail(opened->vfs, r, SQLITE_IOERR_TRUNCATE) : SQLITE_OK;
}

/* What is there for a while need not last. */
static int on_sync(sqlite3_file *, int)
{
	return SQLITE_OK;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)scratch_size(opened_of(file)->scratch);
	return SQLITE_OK;
}

/* Nobody else has the file. */
static int on_lock(sqlite3_file *, int)
{
	return SQLITE_OK;
}

static int on_check_lock(sqlite3_file *, int *ret)
{
	*ret = 0;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *, int, void *)
{
	return SQLITE_NOTFOUND;
}

static int on_sector_size(sqlite3_file *)
{
	return SCRATCH_BLOCK;
}

static int on_characteristics(sqlite3_file *)
{
	return 0;
}

static int on_open(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags,
		   int *ret_flags)
{
	static const sqlite3_io_methods METHODS = {
		.iVersion = 1,
		.xClose = on_close,
		.xRead = on_read,
		.xWrite = on_write,
		.xTruncate = on_truncate,
		.xSync = on_sync,
		.xFileSize = on_file_size,
		.xLock = on_lock,
		.xUnlock = on_lock,
		.xCheckReservedLock = on_check_lock,
		.xFileControl = on_control,
		.xSectorSize = on_sector_size,
		.xDeviceCharacteristics = on_characteristics,
	};
	auto vfs = (struct scratch_vfs *)(void *)base;
	struct opened *opened = opened_of(file);

	*opened = (struct opened) { .vfs = vfs };
	if (name || !(flags & FOR_A_WHILE) || !vfs->query)
		return SQLITE_CANTOPEN;
	int r = scratch_new(vfs->query, &opened->scratch);
	if (r)
		return fail(vfs, r, SQLITE_CANTOPEN);
	opened->base.pMethods = &METHODS;
	if (ret_flags)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *, const char *, int)
{
	return SQLITE_IOERR_DELETE;
}

static int on_access(sqlite3_vfs *, const char *, int, int *ret)
{
	*ret = 0;
	return SQLITE_OK;
}

static int on_full_path(sqlite3_vfs *, const char *, int, char *)
{
	return SQLITE_CANTOPEN;
}

static int on_random(sqlite3_vfs *base, int len, char *ret)
{
	sqlite3_vfs *system = ((struct scratch_vfs *)(void *)base)->system;

	return system->xRandomness(system, len, ret);
}

static int on_sleep(sqlite3_vfs *, int)
{
	return 0;
}

static int on_time(sqlite3_vfs *base, double *ret)
{
	sqlite3_vfs *system = ((struct scratch_vfs *)(void *)base)->system;

	return system->xCurrentTime(system, ret);
}

static int on_error(sqlite3_vfs *, int, char *)
{
	return 0;
}

static int on_time_ms(sqlite3_vfs *base, sqlite3_int64 *ret)
{
	sqlite3_vfs *system = ((struct scratch_vfs *)(void *)base)->system;

	return system->xCurrentTimeInt64(system, ret);
}

int scratch_vfs_init(struct scratch_vfs *vfs)
{
	sqlite3_vfs *system = sqlite3_vfs_find(nullptr);

	if (!system)
		return -ENOMEM;
	*vfs = (struct scratch_vfs) {
		.base = { .iVersion = 2,
			  .szOsFile = sizeof(struct opened),
			  .mxPathname = PATH_ROOM,
			  .zName = vfs->name,
			  .xOpen = on_open,
			  .xDelete = on_delete,
			  .xAccess = on_access,
			  .xFullPathname = on_full_path,
			  .xRandomness = on_random,
			  .xSleep = on_sleep,
			  .xCurrentTime = on_time,
			  .xGetLastError = on_error,
			  .xCurrentTimeInt64 = on_time_ms },
		.system = system,
	};
	(void)snprintf(vfs->name, sizeof(vfs->name), "scratch-%p", (void *)vfs);
	if (sqlite3_vfs_register(&vfs->base, 0) == SQLITE_OK)
		return 0;
	*vfs = (struct scratch_vfs) {};
	return -ENOMEM;
}

void scratch_vfs_done(struct scratch_vfs *vfs)
{
	if (vfs->base.zName)
		(void)sqlite3_vfs_unregister(&vfs->base);
	*vfs = (struct scratch_vfs) {};
}
