/* Error numbers: functions return 0 or one of these, negated. The values are Linux's, so that the
 * host's own <errno.h> agrees with them where the same files are compiled for unit tests. */
#pragma once

#ifndef ENOENT
#define EPERM	     1
#define ENOENT	     2
#define EIO	     5
#define E2BIG	     7
#define ENOEXEC	     8
#define ENOMEM	     12
#define EFAULT	     14
#define EBUSY	     16
#define EEXIST	     17
#define ENODEV	     19
#define EINVAL	     22
#define ENOSPC	     28
#define ESPIPE	     29
#define ERANGE	     34
#define ENAMETOOLONG 36
#define ENOSYS	     38
#define EOPNOTSUPP   95
#define ETIMEDOUT    110
#endif
