/* test_stack.c: volumes and findings from headers made by hand. Every expected number is a closed
 * form of the places that the headers were given. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/dicom/stack.h"

#define MAX 2048

static nod_error err;
static nod_dicom_header headers[MAX];
static nod_dicom_frame frames[MAX];
static const nod_dicom_header *list[MAX];
static size_t n_headers;

/* An axial MR slice at z, 8 x 6 pixels of 0.5 x 0.5 mm, with nothing else said. */
static nod_dicom_frame *add(double z)
{
    nod_dicom_header *h = &headers[n_headers];
    nod_dicom_frame *f = &frames[n_headers];
    nod_dicom_header_clear(h);
    nod_dicom_frame_clear(f);
    *f = (nod_dicom_frame){.slope = 1,
                           .has_position = true,
                           .has_orientation = true,
                           .has_spacing = true,
                           .position_mm = {-10, -20, z},
                           .orientation = {{1, 0, 0}, {0, 1, 0}},
                           .spacing_mm = {0.5, 0.5},
                           .echo_time_ms = NAN,
                           .b_value = NAN,
                           .gradient = {NAN, NAN, NAN},
                           .trigger_time_ms = NAN,
                           .acquisition_time_s = NAN,
                           .temporal_position = NOD_DICOM_NO_INT,
                           .acquisition_number = NOD_DICOM_NO_INT,
                           .instance_number = (int32_t)n_headers + 1};
    h->is_image = true;
    h->rows = 6;
    h->columns = 8;
    h->samples = 1;
    h->n_frames = 1;
    h->slice_thickness_mm = 99; /* must never matter */
    h->frames = f;
    strcpy(h->modality, "MR");
    list[n_headers++] = h;
    return f;
}

static nod_dicom_stacks build(void)
{
    nod_dicom_stacks s = {0};
    if (nod_dicom_stacks_build(list, n_headers, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

static void assert_near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance)) fail_msg("%.12g, not %.12g", a, b);
}

static int empty(void **state)
{
    (void)state;
    n_headers = 0;
    return 0;
}

static const char *detail(const nod_findings *f, nod_finding_kind kind)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].kind == kind) return f->items[i].detail;
    return "not found";
}

/* Any order of the files; the grid is that of the places, and thickness does not matter. */
static void test_even(void **state)
{
    (void)state;
    const double z[] = {6, 0, 4, 2};
    for (size_t i = 0; i < 4; i++)
        add(z[i]);
    nod_dicom_stacks s = build();
    assert_int_equal(s.n, 1);
    nod_dicom_stack *k = &s.items[0];
    assert_int_equal(k->findings.n + s.findings.n, 0);
    assert_int_equal(k->n_slices, 4);
    assert_int_equal(k->n_phases, 1);
    assert_int_equal(k->axis, NOD_AXIS_NONE);
    for (size_t i = 0; i < 4; i++)
        assert_near(z[k->slices[i].file], 2.0 * (double)i, 0);
    assert_int_equal(k->geometry.space, NOD_SPACE_PATIENT);
    assert_near(k->geometry.spacing_mm[2], 2, 1e-12);
    assert_near(k->geometry.origin_mm[0], -10, 0);
    assert_near(k->geometry.origin_mm[2], 0, 0);
    assert_int_equal(k->geometry.size[0], 8);
    assert_int_equal(k->geometry.size[1], 6);
    assert_int_equal(k->geometry.size[2], 4);
    nod_dicom_stacks_done(&s);
}

/* Rows to the left and columns to the head: the normal goes to the front, so slices are sorted by
 * falling y. Spacing is row, column in the file and i, j here. */
static void test_coronal(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        nod_dicom_frame *f = add(0);
        f->position_mm[1] = 3 * i;
        f->orientation[1][1] = 0;
        f->orientation[1][2] = 1;
        f->spacing_mm[0] = 0.7;
    }
    nod_dicom_stacks s = build();
    const nod_geometry *g = &s.items[0].geometry;
    assert_near(g->direction[2][1], -1, 1e-12);
    assert_near(g->origin_mm[1], 6, 0);
    assert_near(g->spacing_mm[0], 0.5, 0);
    assert_near(g->spacing_mm[1], 0.7, 0);
    assert_near(g->spacing_mm[2], 3, 1e-12);
    nod_dicom_stacks_done(&s);
}

/* 18.5 degrees: each slice 4 cos(18.5) mm further along the normal, 4 sin(18.5) along its columns. */
static void test_tilt(void **state)
{
    (void)state;
    double a = 18.5 * M_PI / 180;
    for (int i = 0; i < 5; i++) {
        nod_dicom_frame *f = add(4 * i);
        f->orientation[1][1] = cos(a);
        f->orientation[1][2] = -sin(a);
    }
    nod_dicom_stacks s = build();
    nod_dicom_stack *k = &s.items[0];
    assert_string_equal(detail(&k->findings, NOD_FINDING_GANTRY_TILT),
                        "18.50 degrees, 5.077 mm over 5 slices");
    assert_int_equal(k->findings.n, 1);
    assert_near(k->geometry.spacing_mm[2], 4 * cos(a), 1e-9);
    assert_near(k->shift_mm[2][1], -8 * sin(a), 1e-9);
    assert_near(k->shift_mm[2][0], 0, 1e-9);
    nod_dicom_stacks_done(&s);
}

static void test_gap_and_uneven(void **state)
{
    static const struct {
        double z[8];
        size_t n;
        nod_finding_kind kind;
        const char *detail;
    } cases[] = {
        {{0, 2, 4, 8, 10, 12}, 6, NOD_FINDING_GAP, "1 of 7 slices are missing, 2 mm apart"},
        {{0, 2, 8, 10, 14, 16}, 6, NOD_FINDING_GAP, "3 of 9 slices are missing, 2 mm apart"},
        {{0, 2, 4, 7, 9, 10.5},
         6,
         NOD_FINDING_UNEVEN_SPACING,
         "slices are 1.5 to 3 mm apart, mostly 2 mm"},
        /* within 2 % of 2 mm: rounded places, no finding */
        {{0, 2.03, 4, 5.97, 8}, 5, NOD_FINDING_GAP, "not found"},
        {{0, 2.03, 4, 5.97, 8}, 5, NOD_FINDING_UNEVEN_SPACING, "not found"},
    };
    (void)state;
    for (size_t c = 0; c < NOD_COUNT(cases); c++) {
        n_headers = 0;
        for (size_t i = 0; i < cases[c].n; i++)
            add(cases[c].z[i]);
        nod_dicom_stacks s = build();
        assert_int_equal(s.n, 1);
        assert_string_equal(detail(&s.items[0].findings, cases[c].kind), cases[c].detail);
        nod_dicom_stacks_done(&s);
    }
}

/* 4 mm, a step of 1.08 mm, then 7 mm, as a head CT is scanned; and equal distances offset. */
static void test_runs(void **state)
{
    static const double z[2][9] = {{0, 4, 8, 12, 13.08, 20.08, 27.08, 34.08, 41.08},
                                   {0, 4, 8, 12, 14.5, 18.5, 22.5, 26.5, 30.5}};
    static const char *const details[2] = {
        "2 volumes: 8x6x4 every 4 mm, a step of 1.08 mm, 8x6x5 every 7 mm",
        "2 volumes: 8x6x4 every 4 mm, a step of 2.5 mm, 8x6x5 every 4 mm",
    };
    (void)state;
    for (size_t c = 0; c < 2; c++) {
        n_headers = 0;
        for (size_t i = 0; i < 9; i++)
            add(z[c][i]);
        nod_dicom_stacks s = build();
        assert_int_equal(s.n, 2);
        assert_string_equal(detail(&s.findings, NOD_FINDING_SEVERAL_STACKS), details[c]);
        assert_int_equal(s.items[0].findings.n + s.items[1].findings.n, 0);
        assert_near(s.items[1].geometry.origin_mm[2], z[c][4], 0);
        nod_dicom_stacks_done(&s);
    }
}

/* Another orientation, size or frame of reference is another volume; so is what lies beside. */
static void test_groups(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        add(2 * i);
        add(2 * i)->position_mm[0] = 100;
        nod_dicom_frame *f = add(2 * i);
        f->orientation[1][1] = 0;
        f->orientation[1][2] = 1;
        f->position_mm[1] = 2 * i;
        f->position_mm[2] = 0;
        add(2 * i);
        headers[n_headers - 1].rows = 7;
        add(2 * i);
        strcpy(headers[n_headers - 1].frame_of_reference_uid, "1.2");
    }
    nod_dicom_stacks s = build();
    assert_int_equal(s.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(s.items[i].n_slices, 4);
        assert_int_equal(s.items[i].n_phases, 1);
        assert_int_equal(s.items[i].findings.n, 0);
    }
    nod_dicom_stacks_done(&s);
}

/* --- the fourth axis ---------------------------------------------------------------------- */

typedef void set_phase(nod_dicom_frame *f, int place, int phase);

static void set_temporal(nod_dicom_frame *f, int place, int phase)
{
    (void)place;
    f->temporal_position = phase + 1;
}
static void set_trigger(nod_dicom_frame *f, int place, int phase)
{
    f->trigger_time_ms = 40 * phase + place; /* the heart beats on between places */
}
static void set_acquisition(nod_dicom_frame *f, int place, int phase)
{
    f->acquisition_number = 10 * place + phase; /* goes on from place to place */
}
static void set_time(nod_dicom_frame *f, int place, int phase)
{
    f->acquisition_time_s = 100 * phase + place;
}
static void set_echo(nod_dicom_frame *f, int place, int phase)
{
    (void)place;
    f->echo_time_ms = 5 + 10 * phase;
}
static void set_b_value(nod_dicom_frame *f, int place, int phase)
{
    f->b_value = 500 * phase;
    set_acquisition(f, place, phase); /* what counts as well must not name the axis */
}
static void set_type(nod_dicom_frame *f, int place, int phase)
{
    (void)place;
    strcpy(f->type,
           (const char *[]){"ORIGINAL\\WATER", "ORIGINAL\\FAT", "ORIGINAL\\IN"}[phase]);
}
static void set_stack(nod_dicom_frame *f, int place, int phase)
{
    (void)place;
    snprintf(f->stack, sizeof f->stack, "%d", phase + 1);
}
static void set_index(nod_dicom_frame *f, int place, int phase)
{
    f->n_indices = 2;
    f->indices[0] = place + 1;
    f->indices[1] = phase + 1;
}
/* One image without diffusion, then two directions of one b-value. */
static void set_direction(nod_dicom_frame *f, int place, int phase)
{
    (void)place;
    f->b_value = phase ? 1000 : 0;
    if (phase)
        for (int i = 0; i < 3; i++)
            f->gradient[i] = i == phase;
}

static const struct {
    set_phase *set;
    nod_axis axis;
    double values[3]; /* NaN: a word */
} axes[] = {
    {set_temporal, NOD_AXIS_TIME, {1, 2, 3}},
    {set_trigger, NOD_AXIS_TRIGGER, {1.5, 41.5, 81.5}}, /* means over places 0 to 3 */
    {set_acquisition, NOD_AXIS_ACQUISITION, {15, 16, 17}},
    {set_time, NOD_AXIS_TIME, {1.5, 101.5, 201.5}},
    {set_echo, NOD_AXIS_ECHO, {5, 15, 25}},
    {set_b_value, NOD_AXIS_DIFFUSION, {0, 500, 1000}},
    {set_direction, NOD_AXIS_DIFFUSION, {0, 1000, 1000}},
    {set_type, NOD_AXIS_COMPONENT, {NAN, NAN, NAN}},
    {set_stack, NOD_AXIS_STACK, {NAN, NAN, NAN}},
    {set_index, NOD_AXIS_UNNAMED, {1, 2, 3}},
};

static void test_axes(void **state)
{
    (void)state;
    for (size_t c = 0; c < NOD_COUNT(axes); c++) {
        n_headers = 0;
        for (int phase = 2; phase >= 0; phase--)
            for (int place = 0; place < 4; place++)
                axes[c].set(add(3 * place), place, phase);
        nod_dicom_stacks s = build();
        nod_dicom_stack *k = &s.items[0];
        assert_int_equal(s.n, 1);
        assert_int_equal(k->findings.n, 0);
        assert_int_equal(k->n_slices, 4);
        assert_int_equal(k->n_phases, 3);
        assert_int_equal(k->axis, axes[c].axis);
        assert_near(k->geometry.spacing_mm[2], 3, 1e-12);
        for (int i = 0; i < 3; i++) {
            double v = axes[c].values[i];
            assert_true(isnan(v) ? isnan(k->axis_values[i])
                                 : fabs(k->axis_values[i] - v) < 1e-9);
            for (uint32_t z = 0; z < 4 && !isnan(v) && axes[c].set != set_direction; z++)
                assert_int_equal(k->slices[i * 4 + (int)z].file, (2 - (uint32_t)i) * 4 + z);
        }
        nod_dicom_stacks_done(&s);
    }
}

/* Two echoes, each as magnitude and phase: neither tag separates alone. */
static void test_pair(void **state)
{
    (void)state;
    for (int place = 0; place < 3; place++)
        for (int i = 0; i < 4; i++) {
            nod_dicom_frame *f = add(place);
            f->echo_time_ms = i / 2 ? 20 : 10;
            strcpy(f->type, i % 2 ? "M" : "P");
        }
    nod_dicom_stacks s = build();
    assert_int_equal(s.items[0].n_phases, 4);
    assert_int_equal(s.items[0].axis, NOD_AXIS_ECHO);
    assert_int_equal(s.items[0].findings.n, 0);
    assert_near(s.items[0].axis_values[0], 10, 0);
    assert_near(s.items[0].axis_values[3], 20, 0);
    nod_dicom_stacks_done(&s);
}

static void test_missing_phase(void **state)
{
    (void)state;
    for (int place = 0; place < 4; place++)
        for (int phase = 0; phase < 3; phase++)
            if (place != 2 || phase != 1) add(place)->temporal_position = phase;
    nod_dicom_stacks s = build();
    nod_dicom_stack *k = &s.items[0];
    assert_string_equal(detail(&k->findings, NOD_FINDING_MISSING_PHASE),
                        "1 of 12 slices are missing along the axis 'time' of 3");
    assert_int_equal(k->slices[1 * 4 + 2].file, NOD_DICOM_NO_FILE);
    nod_dicom_stacks_done(&s);
}

static void test_duplicates(void **state)
{
    (void)state;
    /* all twice, nothing separates */
    for (int i = 0; i < 8; i++)
        add(i / 2);
    nod_dicom_stacks s = build();
    assert_string_equal(detail(&s.items[0].findings, NOD_FINDING_DUPLICATE),
                        "4 slices lie where another one lies");
    assert_int_equal(s.items[0].n_slices, 4);
    assert_int_equal(s.items[0].slices[1].file, 2); /* the first of the two stays */
    nod_dicom_stacks_done(&s);
    /* one twice: its time makes it no phase of a volume without phases */
    n_headers = 0;
    for (int i = 0; i < 5; i++)
        add(i)->acquisition_time_s = i;
    add(3)->acquisition_time_s = 50;
    s = build();
    assert_string_equal(detail(&s.items[0].findings, NOD_FINDING_DUPLICATE),
                        "1 slices lie where another one lies");
    assert_int_equal(s.items[0].n_phases, 1);
    nod_dicom_stacks_done(&s);
}

/* --- headers ------------------------------------------------------------------------------ */

static void test_header_findings(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        add(i);
    frames[1].slope = 2.5;
    frames[2].intercept = -1024;
    strcpy(headers[1].image_type, "DERIVED\\PRIMARY\\LOCALIZER");
    strcpy(headers[1].sop_class, "1.2.840.10008.5.1.4.1.1.7.2");
    strcpy(headers[0].intent, "FOR PROCESSING");
    strcpy(headers[1].intent, "FOR PRESENTATION");
    headers[2].burned_in = headers[2].lossy = true;
    nod_dicom_stacks s = build();
    const nod_findings *f = &s.items[0].findings;
    assert_string_equal(detail(f, NOD_FINDING_MIXED_SLOPES),
                        "slopes 1 to 2.5, intercepts -1024 to 0");
    assert_true(nod_findings_has(f, NOD_FINDING_LOCALIZER));
    assert_true(nod_findings_has(f, NOD_FINDING_DERIVED));
    assert_true(nod_findings_has(f, NOD_FINDING_SECONDARY_CAPTURE));
    assert_true(nod_findings_has(f, NOD_FINDING_BURNED_IN));
    assert_true(nod_findings_has(f, NOD_FINDING_LOSSY));
    assert_string_equal(detail(f, NOD_FINDING_MIXED_INTENT),
                        "'FOR PROCESSING' beside 'FOR PRESENTATION'");
    nod_dicom_stacks_done(&s);
    /* ...1.1.77 is no Secondary Capture, DERIVED_X no DERIVED */
    n_headers = 0;
    add(0);
    strcpy(headers[0].sop_class, "1.2.840.10008.5.1.4.1.1.77.1");
    strcpy(headers[0].image_type, "DERIVED_X\\PRIMARY");
    s = build();
    assert_int_equal(s.items[0].findings.n, 0);
    nod_dicom_stacks_done(&s);
}

/* MR without places keeps the order of its numbers; a radiograph is a picture of its own. */
static void test_without_place(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        add(0)->has_position = false;
        frames[i].instance_number = 3 - i;
    }
    nod_dicom_stacks s = build();
    assert_string_equal(detail(&s.items[0].findings, NOD_FINDING_MISSING_POSITION),
                        "3 slices, in the order of their numbers");
    assert_int_equal(s.items[0].slices[0].file, 2);
    assert_int_equal(s.items[0].geometry.space, NOD_SPACE_SPACING);
    nod_dicom_stacks_done(&s);

    for (int i = 0; i < 3; i++)
        strcpy(headers[i].modality, "DX");
    headers[1].calibration = NOD_DICOM_SPACING_DETECTOR;
    headers[1].projection_spacing_mm[0] = 0.2;
    headers[1].projection_spacing_mm[1] = 0.1;
    s = build();
    assert_int_equal(s.n, 3);
    assert_int_equal(s.findings.n, 0);
    assert_true(s.items[1].projection);
    assert_int_equal(s.items[0].geometry.space, NOD_SPACE_NONE);
    assert_int_equal(s.items[1].geometry.space, NOD_SPACE_SPACING);
    assert_int_equal(s.items[1].calibration, NOD_DICOM_SPACING_DETECTOR);
    assert_near(s.items[1].geometry.spacing_mm[0], 0.1, 0);
    assert_near(s.items[1].geometry.spacing_mm[1], 0.2, 0);
    assert_true(nod_findings_has(&s.items[1].findings, NOD_FINDING_DETECTOR_SPACING));
    assert_false(nod_findings_has(&s.items[0].findings, NOD_FINDING_DETECTOR_SPACING));
    nod_dicom_stacks_done(&s);
}

/* One file of twelve frames: four places at three times. */
static void test_multi_frame(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++)
        add(i % 4)->temporal_position = i / 4;
    headers[0].n_frames = 12;
    n_headers = 1;
    nod_dicom_stacks s = build();
    nod_dicom_stack *k = &s.items[0];
    assert_int_equal(k->n_slices, 4);
    assert_int_equal(k->n_phases, 3);
    for (uint32_t i = 0; i < 12; i++) {
        assert_int_equal(k->slices[i].file, 0);
        assert_int_equal(k->slices[i].frame, i);
    }
    nod_dicom_stacks_done(&s);
}

static void test_limits(void **state)
{
    (void)state;
    nod_dicom_stacks s = {0};
    for (int i = 0; i <= NOD_DICOM_MAX_VOLUMES; i++) {
        nod_dicom_frame *f = add(0);
        f->orientation[0][0] = cos(2e-3 * i);
        f->orientation[0][1] = sin(2e-3 * i);
        f->orientation[1][0] = -f->orientation[0][1];
        f->orientation[1][1] = f->orientation[0][0];
    }
    assert_int_equal(nod_dicom_stacks_build(list, n_headers, &s, &err), NOD_ELIMIT);
    assert_non_null(strstr(err.message, "1024"));
    assert_int_equal(nod_dicom_stacks_build(list, 0, &s, &err), 0);
    assert_int_equal(s.n, 0);
    nod_dicom_stacks_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_even, empty),
        cmocka_unit_test_setup(test_coronal, empty),
        cmocka_unit_test_setup(test_tilt, empty),
        cmocka_unit_test_setup(test_gap_and_uneven, empty),
        cmocka_unit_test_setup(test_runs, empty),
        cmocka_unit_test_setup(test_groups, empty),
        cmocka_unit_test_setup(test_axes, empty),
        cmocka_unit_test_setup(test_pair, empty),
        cmocka_unit_test_setup(test_missing_phase, empty),
        cmocka_unit_test_setup(test_duplicates, empty),
        cmocka_unit_test_setup(test_header_findings, empty),
        cmocka_unit_test_setup(test_without_place, empty),
        cmocka_unit_test_setup(test_multi_frame, empty),
        cmocka_unit_test_setup(test_limits, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
