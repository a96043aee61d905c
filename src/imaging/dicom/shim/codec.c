/* codec.c: the table of codecs, and the check that they share. */
#include "imaging/dicom/shim/codec.h"

#include "base/compiler.h"

static const nod_codec *const by_codestream[] = {&nod_codec_jls, &nod_codec_jpeg,
                                                 &nod_codec_j2k, &nod_codec_rle};

const nod_codec *nod_codec_find(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < NOD_COUNT(by_codestream); i++)
        if (by_codestream[i]->is(bytes, size)) return by_codestream[i];
    return NULL;
}

int nod_codec_check(const nod_codec_frame *f, const char *codec, int64_t rows, int64_t columns,
                    int channels, int bits, nod_error *err)
{
    if (rows == f->rows && columns == f->columns && channels == f->channels &&
        bits <= f->bits_allocated)
        return 0;
    return nod_fail(
        err, NOD_EFORMAT,
        "%s: frame %lld: %s has %lld rows, %lld columns, %d channels of %d bits; the "
        "header says %lld, %lld, %d of %d",
        f->name, (long long)f->i_frame, codec, (long long)rows, (long long)columns, channels,
        bits, (long long)f->rows, (long long)f->columns, f->channels, f->bits_allocated);
}
