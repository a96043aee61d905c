/* special.c: normal, beta, t and binomial functions from published algorithms.
 *
 * The t distribution is an incomplete beta function whose prefactor is computed from
 * log1p(t^2/df), so that large df lose nothing there; its continued fraction cancels for large df,
 * so it runs in long double; the log of the beta function uses the Stirling
 * remainder instead of differences of large log-gammas. Quantiles of t: Newton on the tail
 * probability inside a bracket. */
#include "eval/special.h"

#include <float.h>
#include <math.h>

#define LN_SQRT_2PI 0.918938533204672741780329736406
#define MAX_TERMS   100000

double nod_logit(double p)
{
    return log(p) - log1p(-p);
}

double nod_sigmoid(double x)
{
    if (x >= 0) return 1.0 / (1.0 + exp(-x));
    double e = exp(x);
    return e / (1.0 + e);
}

double nod_softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double nod_normal_cdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

/* Horner's rule, highest power first. */
static double polynomial(const double *c, int n, double x)
{
    double s = c[0];
    for (int i = 1; i < n; i++)
        s = s * x + c[i];
    return s;
}

/* AS 241 has three ranges: |p - 1/2| <= .425, and the tails by r = sqrt(-ln(tail)). */
double nod_normal_quantile(double p)
{
    static const double a[8] = {2509.0809287301226727, 33430.575583588128105,
                                67265.770927008700853, 45921.953931549871457,
                                13731.693765509461125, 1971.5909503065514427,
                                133.14166789178437745, 3.387132872796366608};
    static const double b[8] = {5226.495278852545925,  28729.085735721942674,
                                39307.89580009271061,  21213.794301586595867,
                                5394.1960214247511077, 687.1870074920579083,
                                42.313330701600911252, 1.0};
    static const double c[8] = {7.7454501427834140764e-4, .0227238449892691845833,
                                .24178072517745061177,    1.27045825245236838258,
                                3.64784832476320460504,   5.7694972214606914055,
                                4.6303378461565452959,    1.42343711074968357734};
    static const double d[8] = {1.05075007164441684324e-9, 5.475938084995344946e-4,
                                .0151986665636164571966,   .14810397642748007459,
                                .68976733498510000455,     1.6763848301838038494,
                                2.05319162663775882187,    1.0};
    static const double e[8] = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                .0012426609473880784386,   .026532189526576123093,
                                .29656057182850489123,     1.7848265399172913358,
                                5.4637849111641143699,     6.6579046435011037772};
    static const double f[8] = {2.04426310338993978564e-15, 1.4215117583164458887e-7,
                                1.8463183175100546818e-5,   7.868691311456132591e-4,
                                .0148753612908506148525,    .13692988092273580531,
                                .59983220655588793769,      1.0};
    if (!(p > 0.0)) return p == 0.0 ? -INFINITY : NAN;
    if (!(p < 1.0)) return p == 1.0 ? INFINITY : NAN;
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(a, 8, r) / polynomial(b, 8, r);
    }
    double r = sqrt(-log(q < 0 ? p : 1.0 - p));
    double x;
    if (r <= 5.0)
        x = polynomial(c, 8, r - 1.6) / polynomial(d, 8, r - 1.6);
    else
        x = polynomial(e, 8, r - 5.0) / polynomial(f, 8, r - 5.0);
    return q < 0 ? -x : x;
}

/* ln Gamma(x) minus Stirling's (x-1/2) ln x - x + ln sqrt(2 pi), for x >= 10. */
static double stirling_remainder(double x)
{
    static const double c[8] = {-3617.0 / 122400, 1.0 / 156,  -691.0 / 360360, 1.0 / 1188,
                                -1.0 / 1680,      1.0 / 1260, -1.0 / 360,      1.0 / 12};
    return polynomial(c, 8, 1.0 / (x * x)) / x;
}

double nod_beta_log(double a, double b)
{
    double p = fmin(a, b), q = fmax(a, b);
    int sign;
    if (p >= 10) {
        double rest = stirling_remainder(p) + stirling_remainder(q) - stirling_remainder(p + q);
        return -0.5 * log(q) + LN_SQRT_2PI + rest + (p - 0.5) * log(p / (p + q)) +
               q * log1p(-p / (p + q));
    }
    if (q >= 10) {
        double rest = stirling_remainder(q) - stirling_remainder(p + q);
        return lgamma_r(p, &sign) + rest + p - p * log(p + q) + (q - 0.5) * log1p(-p / (p + q));
    }
    return lgamma_r(p, &sign) + lgamma_r(q, &sign) - lgamma_r(p + q, &sign);
}

/* The continued fraction of I_x(a, b), which converges fast for x < (a+1)/(a+b+2). */
static double beta_fraction(long double x, long double a, long double b)
{
    const long double tiny = 1e-300L;
    long double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabsl(d) < tiny) d = tiny;
    d = 1 / d;
    long double h = d;
    for (int m = 1; m < MAX_TERMS; m++) {
        long double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + even * d;
        c = 1 + even / c;
        if (fabsl(d) < tiny) d = tiny;
        if (fabsl(c) < tiny) c = tiny;
        d = 1 / d;
        h *= d * c;
        long double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + odd * d;
        c = 1 + odd / c;
        if (fabsl(d) < tiny) d = tiny;
        if (fabsl(c) < tiny) c = tiny;
        d = 1 / d;
        h *= d * c;
        if (fabsl(d * c - 1) < DBL_EPSILON / 16) break;
    }
    return (double)h;
}

/* I_x(a, b) from x, y = 1 - x and their logarithms, each given without cancellation. */
static double beta_cdf_of(long double x, long double y, double log_x, double log_y, double a,
                          double b)
{
    double front = exp(a * log_x + b * log_y - nod_beta_log(a, b));
    if (x <= (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(x, a, b) / a;
    return 1.0 - front * beta_fraction(y, b, a) / b;
}

double nod_beta_cdf(double x, double a, double b)
{
    if (isnan(x) || !(a > 0) || !(b > 0)) return NAN;
    if (x <= 0) return 0.0;
    if (x >= 1) return 1.0;
    return beta_cdf_of(x, 1.0L - x, log(x), log1p(-x), a, b);
}

/* P(T > t) for t >= 0. */
static double t_tail(double t, double df)
{
    if (isinf(df) || df > 1e15) return nod_normal_cdf(-t);
    double s = t * t / df;
    if (isinf(s)) return 0.0;
    double log_x = -log1p(s), log_y = s > 0 ? log(s) - log1p(s) : -INFINITY;
    if (s == 0) return 0.5;
    return 0.5 * beta_cdf_of(1 / (1.0L + s), s / (1.0L + s), log_x, log_y, df / 2, 0.5);
}

double nod_t_cdf(double t, double df)
{
    if (isnan(t) || !(df > 0)) return NAN;
    return t < 0 ? t_tail(-t, df) : 1.0 - t_tail(t, df);
}

/* The t > 0 whose upper tail is `tail` < 1/2. */
static double t_upper(double tail, double df)
{
    double lo = 0, hi = fmax(1.0, -nod_normal_quantile(tail));
    while (t_tail(hi, df) > tail && hi < 1e300) {
        lo = hi;
        hi *= 2;
    }
    double log_c = -nod_beta_log(df / 2, 0.5) - 0.5 * log(df);
    double t = lo > 0 ? sqrt(lo * hi) : 0.5 * hi;
    for (int i = 0; i < 200; i++) {
        double excess = t_tail(t, df) - tail;
        if (excess > 0)
            lo = t;
        else
            hi = t;
        double density = exp(log_c - 0.5 * (df + 1) * log1p(t * t / df));
        double next = t + excess / density;
        if (!(next > lo && next < hi)) next = 0.5 * (lo + hi);
        if (fabs(next - t) <= 4 * DBL_EPSILON * t) return next;
        t = next;
    }
    return t;
}

double nod_t_quantile(double p, double df)
{
    if (isnan(p) || p < 0 || p > 1 || !(df > 0)) return NAN;
    if (p == 0) return -INFINITY;
    if (p == 1) return INFINITY;
    if (p == 0.5) return 0.0;
    if (isinf(df) || df > 1e15) return nod_normal_quantile(p);
    return p < 0.5 ? -t_upper(p, df) : t_upper(1.0 - p, df);
}

double nod_binomial_half_cdf(double k, double n)
{
    if (isnan(k) || !(n >= 0)) return NAN;
    k = floor(k);
    if (k < 0) return 0.0;
    if (k >= n) return 1.0;
    if (k > n - k - 1) return 1.0 - nod_binomial_half_cdf(n - k - 1, n);
    /* Terms fall from C(n,k)/2^n downwards by the ratio j/(n-j+1). */
    double term = exp(-log(n + 1) - nod_beta_log(k + 1, n - k + 1) - n * M_LN2), sum = 0;
    for (double j = k; j >= 0 && term > 0; j--) {
        sum += term;
        term *= j / (n - j + 1);
    }
    return sum;
}
