/* compiler.h: the GNU attributes the project uses, and the assertion for broken promises
 * between our own functions. Nothing that a user or a file can cause may reach NOD_ASSERT. */
#ifndef NOD_BASE_COMPILER_H
#define NOD_BASE_COMPILER_H

#define NOD_MUST_CHECK                   __attribute__((warn_unused_result))
#define NOD_PRINTF(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#define NOD_UNUSED                       __attribute__((unused))
#define NOD_NORETURN                     __attribute__((noreturn))
#define NOD_INLINE                       static inline __attribute__((always_inline))
#define NOD_NOINLINE                     __attribute__((noinline))
#define NOD_RESTRICT                     __restrict__
#define NOD_ALIGNED(n)                   __attribute__((aligned(n)))
/* Compiles one function for another instruction set: NOD_TARGET("avx2,fma"). */
#define NOD_TARGET(isa) __attribute__((target(isa)))

/* Number of elements of a true array (not a pointer). */
#define NOD_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOD_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define NOD_MAX(a, b)    ((a) > (b) ? (a) : (b))

/* On in every build: prints the expression and its place, then aborts. */
#define NOD_ASSERT(expr) \
    ((expr) ? (void)0 : nod_assert_failed(#expr, __FILE__, __LINE__, __func__))

NOD_NORETURN void nod_assert_failed(const char *expr, const char *file, int line,
                                    const char *func);

#endif
