/* image.h: one decoded picture, volume, or series of volumes, with what its file says of it.
 *
 * Samples are interleaved by channel: data[(((f*depth + d)*height + y)*width + x)*channels + c],
 * in the file's own integers (8 or 16 bit) where they need no scaling, else f32 of real values.
 * Palette images arrive expanded. */
#ifndef NOD_IMAGING_IMAGE_H
#define NOD_IMAGING_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"
#include "imaging/geometry.h"

/* Limits for untrusted files. */
#define NOD_IMAGE_MAX_SIDE    65500
#define NOD_IMAGE_MAX_SAMPLES ((int64_t)1 << 31)

typedef enum nod_sample { NOD_SAMPLE_U8, NOD_SAMPLE_U16, NOD_SAMPLE_F32 } nod_sample;

typedef enum nod_units {
    NOD_UNITS_NONE, /* grey levels without a unit */
    NOD_UNITS_HU    /* Hounsfield: windows in HU make sense */
} nod_units;

/* What the fourth axis of an image runs over. */
typedef enum nod_axis {
    NOD_AXIS_NONE,        /* there is none: one frame */
    NOD_AXIS_UNNAMED,     /* the file does not say: NIfTI */
    NOD_AXIS_TIME,        /* temporal positions: perfusion, contrast phases */
    NOD_AXIS_TRIGGER,     /* phases of the heart: cine */
    NOD_AXIS_ACQUISITION, /* acquisitions one after the other */
    NOD_AXIS_ECHO,
    NOD_AXIS_DIFFUSION, /* b-values */
    NOD_AXIS_COMPONENT, /* image types: Dixon, magnitude and phase */
    NOD_AXIS_STACK,
    NOD_AXIS_CHANNEL, /* files of one place, a channel each */
    NOD_AXES
} nod_axis;

/* What the file says beyond samples and place; "" or 0 where it says nothing. */
typedef struct nod_image_facts {
    char modality[17];    /* DICOM's code: "CT", "MR", "MG" ... */
    char photometric[17]; /* DICOM's term: "MONOCHROME2" ... */
    char intent[17];      /* "FOR PRESENTATION", "FOR PROCESSING" */
    char laterality;      /* 'L', 'R', 'B' */
    char view[17];        /* "CC", "MLO", "PA" ... */
    nod_units units;
    nod_axis axis;
    const char *format; /* the reader's name for it, static: "PNG"; NULL: no file */
} nod_image_facts;

typedef struct nod_image {
    int64_t frames;               /* along the fourth axis; 1: there is none */
    int64_t depth, height, width; /* depth 1 for a plane */
    int channels;                 /* 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA */
    nod_sample sample;
    void *data; /* owned */
    /* Voxels outside what was measured: bit (n & 7) of byte n / 8 for voxel n in memory order,
     * channels not counted. Owned; NULL: none. They are left out of every statistic. */
    uint8_t *padding;
    nod_geometry geometry; /* of one frame; size is width, height, depth */
    nod_image_facts facts;
} nod_image;

/* Zeroed, of unknown geometry. Errors: ESHAPE, ELIMIT, ENOMEM. */
int nod_image_init(nod_image *im, int64_t depth, int64_t height, int64_t width, int channels,
                   nod_sample sample, nod_error *err) NOD_MUST_CHECK;
/* The same with a fourth axis of `frames`. */
int nod_image_init_frames(nod_image *im, int64_t frames, int64_t depth, int64_t height,
                          int64_t width, int channels, nod_sample sample,
                          nod_error *err) NOD_MUST_CHECK;
void nod_image_done(nod_image *im);
int64_t nod_image_voxels(const nod_image *im);  /* of all frames */
int64_t nod_image_samples(const nod_image *im); /* voxels times channels */
size_t nod_image_bytes(const nod_image *im);
const char *nod_axis_name(nod_axis axis); /* "none", "time", "echo" ... */
/* Sample k in memory order; every sample fits a double exactly. */
NOD_INLINE double nod_image_value(const nod_image *im, int64_t k)
{
    switch (im->sample) {
    case NOD_SAMPLE_U8:
        return ((const uint8_t *)im->data)[k];
    case NOD_SAMPLE_U16:
        return ((const uint16_t *)im->data)[k];
    default:
        return (double)((const float *)im->data)[k];
    }
}
/* Marks voxel n as padding, taking memory for the bits at the first. */
int nod_image_set_padding(nod_image *im, int64_t n, nod_error *err) NOD_MUST_CHECK;
NOD_INLINE bool nod_image_is_padding(const nod_image *im, int64_t n)
{
    return im->padding && (im->padding[n >> 3] >> (n & 7) & 1);
}

/* 8- or 16-bit PNG (depth 1) without time stamps: equal input, equal bytes. EINVAL: a volume or f32. */
int nod_image_encode_png(const nod_image *im, nod_bytes *out, nod_error *err) NOD_MUST_CHECK;
/* The same into a file, atomically. */
int nod_image_write_png(const char *path, const nod_image *im, nod_error *err) NOD_MUST_CHECK;

/* Identity of the decoded pixels: SHA-256 over size (and frames, where there are several) and samples after making equal pictures
 * equal: alpha that is everywhere opaque is dropped, RGB with equal channels becomes grey, and
 * 16-bit samples that are all multiples of 257 become 8-bit. */
int nod_image_pixel_hash(const nod_image *im, char out[65], nod_error *err) NOD_MUST_CHECK;
/* 1 if every pixel has the same value. */
int nod_image_is_constant(const nod_image *im);

/* To f32 planes [frames][channels_out][depth][height][width], scaled to [0,1] for integers; f32 as it
 * is. channels_out is 1 (luma Rec. 601 0.299 R + 0.587 G + 0.114 B; alpha composited on black)
 * or 3 (grey repeated). dst has frames*channels_out*depth*height*width floats. */
int nod_image_to_f32(const nod_image *im, int channels_out, float *dst,
                     nod_error *err) NOD_MUST_CHECK;

#endif
