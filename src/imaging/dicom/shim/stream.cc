/* stream.cc: see stream.hh. */
#include "imaging/dicom/shim/stream.hh"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <dcmtk/dcmdata/dcerror.h>

#include "imaging/dicom/limits.h"

namespace nod_dicom
{

static constexpr size_t window_bytes = 16384;

File_source::~File_source()
{
    (void)close(fd_);
}

bool File_source::read(uint64_t at, void *out, size_t n) const
{
    char *to = static_cast<char *>(out);

    while (n > 0) {
        ssize_t got = pread(fd_, to, n, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        at += static_cast<uint64_t>(got);
        n -= static_cast<size_t>(got);
    }
    return true;
}

bool Memory_source::read(uint64_t at, void *out, size_t n) const
{
    std::memcpy(out, bytes_ + at, n);
    return true;
}

Producer::Producer(std::shared_ptr<const Source> source, uint64_t at)
    : source_(std::move(source)), at_(at)
{
}

OFBool Producer::good() const
{
    return !refused_ && limit_ == Limit::none;
}

OFCondition Producer::status() const
{
    return good() ? EC_Normal : EC_InvalidStream;
}

OFBool Producer::eos()
{
    return !good() || at_ >= source_->size();
}

offile_off_t Producer::avail()
{
    return eos() ? 0 : static_cast<offile_off_t>(source_->size() - at_);
}

void Producer::watch()
{
    stack_ = static_cast<const char *>(__builtin_frame_address(0));
}

void Producer::count_element()
{
    const char *here = static_cast<const char *>(__builtin_frame_address(0));

    if (stack_ == nullptr) return;
    if (stack_ > here && static_cast<size_t>(stack_ - here) > NOD_DICOM_STACK_MAX)
        limit_ = Limit::nesting;
    if (++n_elements_ > NOD_DICOM_ELEMENTS_MAX) limit_ = Limit::elements;
}

/* The window holds the byte at at_. */
bool Producer::fill()
{
    if (at_ >= window_at_ && at_ - window_at_ < window_.size()) return true;
    uint64_t left = source_->size() - at_;
    window_.resize(left < window_bytes ? static_cast<size_t>(left) : window_bytes);
    window_at_ = at_;
    if (source_->read(at_, window_.data(), window_.size())) return true;
    window_.clear();
    refused_ = true;
    return false;
}

offile_off_t Producer::read(void *buf, offile_off_t n)
{
    offile_off_t done = 0;

    if (n > avail()) n = avail();
    while (done < n) {
        char *to = static_cast<char *>(buf) + done;
        size_t want = static_cast<size_t>(n - done);
        if (want >= window_bytes) {
            if (!source_->read(at_, to, want)) {
                refused_ = true;
                return done;
            }
        } else {
            if (!fill()) return done;
            size_t from = static_cast<size_t>(at_ - window_at_);
            if (want > window_.size() - from) want = window_.size() - from;
            std::memcpy(to, window_.data() + from, want);
        }
        at_ += want;
        done += static_cast<offile_off_t>(want);
    }
    return done;
}

offile_off_t Producer::skip(offile_off_t n)
{
    if (n > avail()) n = avail();
    if (n < 0) n = 0;
    at_ += static_cast<uint64_t>(n);
    return n;
}

void Producer::putback(offile_off_t n)
{
    if (n >= 0 && static_cast<uint64_t>(n) <= at_)
        at_ -= static_cast<uint64_t>(n);
    else
        refused_ = true;
}

/* Makes the stream anew where a value was left in place. */
class Factory final : public DcmInputStreamFactory
{
  public:
    Factory(std::shared_ptr<const Source> source, uint64_t at)
        : source_(std::move(source)), at_(at)
    {
    }
    DcmInputStream *create() const override
    {
        return new Stream(source_, at_);
    }
    DcmInputStreamFactory *clone() const override
    {
        return new Factory(*this);
    }
    DcmInputStreamFactoryType ident() const override
    {
        return DFT_DcmInputFileStreamFactory;
    }

  private:
    std::shared_ptr<const Source> source_;
    uint64_t at_;
};

/* The base keeps only the address of the producer, which is made after it. */
Stream::Stream(std::shared_ptr<const Source> source, uint64_t at)
    : DcmInputStream(&producer_), producer_(std::move(source), at)
{
}

DcmInputStreamFactory *Stream::newFactory() const
{
    return new Factory(producer_.source(), producer_.at());
}

void Stream::mark()
{
    producer_.count_element();
    DcmInputStream::mark();
}

} // namespace nod_dicom
