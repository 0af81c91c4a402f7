/* libquickjs.a of a later Debian calls functions that glibc has since 2.38. On older ones the same without C23's binary literals will do. */
#include <stdlib.h>

#if !__GLIBC_PREREQ(2, 38)
long __isoc23_strtol(const char *text, char **end, int base);

long __isoc23_strtol(const char *text, char **end, int base)
{
    return strtol(text, end, base);
}
#endif
