/* place.c: from the two forms of a NIfTI header to a grid in LPS millimetres, and back.
 *
 * The sform wins where its code is positive, else the qform, else only the spacing is known.
 * Source: nifti1.h, "3D image (volume) orientation and location in space", methods 2 and 3. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "imaging/nifti/header.h"

#define UNITS_MM     2
#define CODE_SCANNER 1    /* NIFTI_XFORM_SCANNER_ANAT: as the scanner said */
#define UNIT_LENGTH  1e-2 /* what a quaternion's length may exceed 1 by */
#define HALF_TURN    1e-7 /* below this the real part of a quaternion is rounding */

/* Millimetres of one spatial unit. */
static double unit_mm(int units)
{
    switch (units & 7) {
    case 1:
        return 1000;
    case 3:
        return 1e-3;
    default: /* millimetres, or not said */
        return 1;
    }
}

static bool is_spacing(double v)
{
    return isfinite(v) && v > 0;
}

/* Spacing of grid axis a; an axis that the file does not have is 1 mm thick. */
static double spacing_of(const nod_nifti_header *h, int a)
{
    if (a >= h->dim[0] && !is_spacing(h->pixdim[a + 1])) return 1;
    return h->pixdim[a + 1] * unit_mm(h->units);
}

/* --- reading -------------------------------------------------------------------------------- */

static void sform_affine(const nod_nifti_header *h, double out[4][4])
{
    double mm = unit_mm(h->units);
    memset(out, 0, 16 * sizeof(double));
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 4; c++)
            out[r][c] = h->srow[r][c] * mm;
    out[3][3] = 1;
}

/* false: its numbers are no rotation. */
static bool qform_affine(const nod_nifti_header *h, double out[4][4])
{
    double b = h->quatern[0], c = h->quatern[1], d = h->quatern[2];
    double length = b * b + c * c + d * d, a = 1 - length;
    if (!(length <= 1 + UNIT_LENGTH)) return false;
    if (a < HALF_TURN) {
        double scale = 1 / sqrt(length);
        b *= scale;
        c *= scale;
        d *= scale;
        a = 0;
    } else {
        a = sqrt(a);
    }
    const double turn[3][3] = {
        {a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
        {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
        {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c}};
    double mm = unit_mm(h->units), qfac = h->pixdim[0] < 0 ? -1 : 1;
    memset(out, 0, 16 * sizeof(double));
    for (int r = 0; r < 3; r++) {
        for (int k = 0; k < 3; k++)
            out[r][k] = turn[r][k] * spacing_of(h, k) * (k == 2 ? qfac : 1);
        out[r][3] = h->qoffset[r] * mm;
    }
    out[3][3] = 1;
    return true;
}

/* A form is a grid, or a finding that says why it is none. */
static int form_grid(const nod_encoded *in, const nod_nifti_header *h, const int64_t size[3],
                     bool sform, nod_geometry *out, nod_error *err)
{
    double affine[4][4];
    if (!sform && !qform_affine(h, affine))
        return nod_encoded_judge(in, err, NOD_FINDING_HEADER_CONFLICT,
                                 "the qform's quaternion (%g, %g, %g) is no rotation",
                                 h->quatern[0], h->quatern[1], h->quatern[2]);
    if (sform) sform_affine(h, affine);
    return nod_encoded_place(in, (const double(*)[4])affine, NOD_WORLD_RAS, size,
                             sform ? "sform" : "qform", out, err);
}

static int check_pixdim(const nod_encoded *in, const nod_nifti_header *h, bool *good,
                        nod_error *err)
{
    *good = true;
    for (int a = 0; a < 3; a++)
        *good = *good && is_spacing(spacing_of(h, a));
    if (*good) return 0;
    return nod_encoded_judge(in, err, NOD_FINDING_BAD_SPACING, "pixdim is %g x %g x %g",
                             h->pixdim[1], h->pixdim[2], h->pixdim[3]);
}

static int compare_forms(const nod_encoded *in, const nod_nifti_header *h,
                         const nod_geometry *s, nod_error *err)
{
    double affine[4][4], smallest = HUGE_VAL;
    nod_error why = NOD_ERROR_INIT;
    nod_geometry q;
    if (!qform_affine(h, affine) ||
        nod_geometry_from_affine((const double(*)[4])affine, NOD_WORLD_RAS, s->size, "qform",
                                 &q, &why) != 0)
        return nod_encoded_judge(in, err, NOD_FINDING_FORMS_DIFFER,
                                 "the sform describes a grid, the qform none");
    for (int a = 0; a < 3; a++)
        smallest = fmin(smallest, s->spacing_mm[a]);
    double apart = nod_geometry_distance_mm(s, &q);
    if (apart <= NOD_GEOMETRY_AGREE * smallest) return 0;
    return nod_encoded_judge(in, err, NOD_FINDING_FORMS_DIFFER,
                             "corners of the grid are up to %.4g mm apart in qform and sform; "
                             "the sform is used",
                             apart);
}

/* Neither form: what pixdim says, if it says something. */
static int spacing_only(const nod_encoded *in, const nod_nifti_header *h, bool good,
                        nod_geometry *g, nod_error *err)
{
    if (!good) return 0;
    g->space = NOD_SPACE_SPACING;
    for (int a = 0; a < 3; a++)
        g->spacing_mm[a] = spacing_of(h, a);
    return nod_encoded_judge(in, err, NOD_FINDING_NO_ORIENTATION,
                             "qform_code and sform_code are %d and %d", h->qform_code,
                             h->sform_code);
}

int nod_nifti_place(const nod_encoded *in, const nod_nifti_header *h, const int64_t size[3],
                    nod_geometry *out, nod_error *err)
{
    nod_geometry g = nod_geometry_unknown(size[0], size[1], size[2]);
    bool sform = h->sform_code > 0, qform = h->qform_code > 0, good;
    int rc = check_pixdim(in, h, &good, err);
    if (rc) return rc;
    if (sform || (qform && good))
        rc = form_grid(in, h, size, sform, &g, err);
    else
        rc = spacing_only(in, h, good, &g, err);
    if (rc) return rc;
    if (sform && qform && good && g.space == NOD_SPACE_PATIENT)
        rc = compare_forms(in, h, &g, err);
    if (rc == 0) *out = g;
    return rc;
}

/* --- writing -------------------------------------------------------------------------------- */

/* The quaternion of a rotation, by its largest component so that nothing is divided by little. */
static void set_quaternion(nod_nifti_header *h, double r[3][3])
{
    double det = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) -
                 r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0]) +
                 r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
    h->pixdim[0] = det < 0 ? -1 : 1;
    for (int i = 0; i < 3 && det < 0; i++)
        r[i][2] = -r[i][2];
    double square[4] = {1 + r[0][0] + r[1][1] + r[2][2], 1 + r[0][0] - r[1][1] - r[2][2],
                        1 - r[0][0] + r[1][1] - r[2][2], 1 - r[0][0] - r[1][1] + r[2][2]};
    const double product[4][4] = {{0, r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]},
                                  {r[2][1] - r[1][2], 0, r[0][1] + r[1][0], r[0][2] + r[2][0]},
                                  {r[0][2] - r[2][0], r[0][1] + r[1][0], 0, r[1][2] + r[2][1]},
                                  {r[1][0] - r[0][1], r[0][2] + r[2][0], r[1][2] + r[2][1], 0}};
    int k = 0;
    for (int i = 1; i < 4; i++)
        if (square[i] > square[k]) k = i;
    double q[4], largest = sqrt(square[k]) / 2;
    for (int i = 0; i < 4; i++)
        q[i] = i == k ? largest : product[k][i] / (4 * largest);
    double sign = q[0] < 0 ? -1 : 1; /* the real part is not stored and taken as positive */
    for (int i = 0; i < 3; i++)
        h->quatern[i] = sign * q[i + 1] + 0.0;
}

/* Everything follows from the numbers as the header holds them, so that a file that was read and
 * written again has the same header. */
void nod_nifti_set_place(nod_nifti_header *h, const nod_geometry *g)
{
    double affine[4][4], turn[3][3];
    h->pixdim[0] = 1;
    for (int a = 0; a < 3; a++)
        h->pixdim[a + 1] = g->spacing_mm[a];
    h->units = g->space == NOD_SPACE_NONE ? 0 : UNITS_MM;
    if (g->space != NOD_SPACE_PATIENT) return;
    nod_geometry_to_affine(g, NOD_WORLD_RAS, affine);
    h->sform_code = CODE_SCANNER;
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 4; c++) {
            double v = h->version == 1 ? (double)(float)affine[r][c] : affine[r][c];
            h->srow[r][c] = v + 0.0; /* never -0 */
        }
    for (int a = 0; a < 3; a++) {
        double length = sqrt(h->srow[0][a] * h->srow[0][a] + h->srow[1][a] * h->srow[1][a] +
                             h->srow[2][a] * h->srow[2][a]);
        h->pixdim[a + 1] = length;
        for (int r = 0; r < 3; r++)
            turn[r][a] = h->srow[r][a] / length;
    }
    if (nod_geometry_is_sheared(g)) return;
    h->qform_code = CODE_SCANNER;
    for (int r = 0; r < 3; r++)
        h->qoffset[r] = h->srow[r][3];
    set_quaternion(h, turn);
}
