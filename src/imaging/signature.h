/* signature.h: what a picture or volume looks like at a glance, to find copies of it that are not
 * equal: saved anew with loss, resized, stretched, mirrored, turned by right angles, slightly
 * cropped, with grey levels scaled or inverted.
 *
 * The first frame's luminance is shrunk to a square or cube, whatever its sides were, and its
 * frequencies are weighted by their radius. Shapes that all chests or heads share lie in the lowest
 * frequencies; weighted so, what is left to compare is what differs from one patient to the next.
 *   - Perceptual hash: the signs of the lowest NOD_PHASH_BITS cosine coefficients or fewer, of the
 *     whole image, of each of its poses, and of windows of it: what a cropped copy would have.
 *   - Relief: the weighted image itself, for the correlation that confirms or refutes. */
#ifndef NOD_IMAGING_SIGNATURE_H
#define NOD_IMAGING_SIGNATURE_H

#include "imaging/image.h"

#define NOD_PHASH_BITS    128
#define NOD_PHASH_WORDS   2
#define NOD_POSES_MAX     48
#define NOD_SIGNATURE_MIN 16 /* samples along the lesser side of a plane */
/* Of a volume: with fewer, 48 poses and a window fit anything. */
#define NOD_SIGNATURE_MIN_VOXELS 4096
#define NOD_SIGNATURE_MARGIN     0.15 /* of a side that a copy may lack at each end */

typedef struct nod_phash {
    uint64_t word[NOD_PHASH_WORDS];
} nod_phash;

/* A way to lay an image: axis k of what is laid runs along axis[k] of the image, backwards where
 * flip[k]. Axes are depth, height, width; depth stays where it is in a plane. */
typedef struct nod_pose {
    int axis[3];
    bool flip[3];
} nod_pose;

int nod_pose_count(int n_axes);          /* 8 of a plane, 48 of a volume */
nod_pose nod_pose_at(int n_axes, int i); /* 0: as it is */
/* "", "mirrored", "rotated", "mirrored+rotated". */
const char *nod_pose_name(const nod_pose *p);

typedef struct nod_signature {
    int n_axes;      /* 2 a plane, 3 a volume; 0: constant or too small, nothing can be said */
    int64_t size[3]; /* of the image: depth, height, width */
    int band[3];     /* frequencies that it can hold, along each axis of the relief */
    int16_t *relief; /* owned; [side][side] or [side][side][side] */
    nod_phash poses[NOD_POSES_MAX]; /* of the whole image, laid in each pose */
    nod_phash *windows;             /* owned; [nod_signer_windows] */
} nod_signature;

/* Tables that signatures are made with; read-only, for any number of threads. */
typedef struct nod_signer nod_signer;
int nod_signer_new(nod_signer **out, nod_error *err) NOD_MUST_CHECK;
void nod_signer_free(nod_signer *s);
int nod_signer_bits(const nod_signer *s, int n_axes);    /* of a hash, at most NOD_PHASH_BITS */
int nod_signer_windows(const nod_signer *s, int n_axes); /* window 0 is the whole image */

/* ENOMEM alone; of a constant image n_axes is 0. */
int nod_signature_make(const nod_signer *s, const nod_image *im, nod_signature *out,
                       nod_error *err) NOD_MUST_CHECK;
void nod_signature_done(nod_signature *g);
size_t nod_signature_bytes(const nod_signer *s, const nod_signature *g); /* of memory */

/* How one image lies in another. */
typedef struct nod_likeness {
    double correlation; /* of the reliefs, where they overlap; negative: grey levels inverted */
    double
        local; /* mean of the same by tiles with something in them: agreement everywhere, not of
                     one strong edge; of the same sign; 0 where the search was given up */
    double lo[3], hi[3]; /* what `part` shows of `whole`, as shares of its sides */
} nod_likeness;

/* Lays `part`, in a pose, over a window of `whole`, and moves the window's sides until the
 * correlation is at its greatest; both have as many axes. `i_window` is where it begins. What is
 * clearly no copy is given up early. */
int nod_signature_compare(const nod_signer *s, const nod_signature *whole, int i_window,
                          const nod_signature *part, int i_pose, bool inverted,
                          nod_likeness *out, nod_error *err) NOD_MUST_CHECK;

#endif
