/* stream.hh: the bytes of a file, and DCMTK's view of them with our limits.
 *
 * DCMTK reads a dataset through a stream and leaves values that are longer than it was told in
 * place, if the stream can be made anew at their position. Its own stream for memory cannot, and
 * neither of its streams limits anything. This one can, for files and memory alike, and stops
 * (end of stream, error status) when a dataset has too many elements or nests so deep that the
 * recursion of the parser would use more stack than NOD_DICOM_STACK_MAX. */
#ifndef NOD_IMAGING_DICOM_SHIM_STREAM_HH
#define NOD_IMAGING_DICOM_SHIM_STREAM_HH

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrma.h>

namespace nod_dicom
{

/* Bytes that can be read anywhere. */
class Source
{
  public:
    virtual ~Source() = default;
    virtual uint64_t size() const = 0;
    /* Reads n bytes at `at`, which lie inside; false: the system refused. */
    virtual bool read(uint64_t at, void *out, size_t n) const = 0;
};

/* Of an open file, which it closes. */
class File_source final : public Source
{
  public:
    File_source(int fd, uint64_t size) : fd_(fd), size_(size)
    {
    }
    ~File_source() override;
    File_source(const File_source &) = delete;
    File_source &operator=(const File_source &) = delete;
    uint64_t size() const override
    {
        return size_;
    }
    bool read(uint64_t at, void *out, size_t n) const override;

  private:
    int fd_;
    uint64_t size_;
};

/* Of memory that somebody else holds. */
class Memory_source : public Source
{
  public:
    Memory_source(const void *bytes, size_t size)
        : bytes_(static_cast<const uint8_t *>(bytes)), size_(size)
    {
    }
    uint64_t size() const override
    {
        return size_;
    }
    bool read(uint64_t at, void *out, size_t n) const override;

  private:
    const uint8_t *bytes_;
    size_t size_;
};

/* Of memory that it holds. */
class Vector_source final : public Memory_source
{
  public:
    explicit Vector_source(std::vector<uint8_t> &&bytes)
        : Memory_source(bytes.data(), bytes.size()), bytes_(std::move(bytes))
    {
    }

  private:
    std::vector<uint8_t> bytes_;
};

enum class Limit { none, elements, nesting };

class Producer final : public DcmProducer
{
  public:
    Producer(std::shared_ptr<const Source> source, uint64_t at);
    OFBool good() const override;
    OFCondition status() const override;
    OFBool eos() override;
    offile_off_t avail() override;
    offile_off_t read(void *buf, offile_off_t n) override;
    offile_off_t skip(offile_off_t n) override;
    void putback(offile_off_t n) override;

    const std::shared_ptr<const Source> &source() const
    {
        return source_;
    }
    uint64_t at() const
    {
        return at_;
    }
    /* From here on the limits count. */
    void watch();
    void count_element();
    bool refused() const /* by the system */
    {
        return refused_;
    }
    Limit limit() const
    {
        return limit_;
    }

  private:
    bool fill();

    std::shared_ptr<const Source> source_;
    uint64_t at_;
    std::vector<uint8_t> window_; /* bytes from window_at_ */
    uint64_t window_at_ = 0;
    const char *stack_ = nullptr; /* where the parser was called */
    int64_t n_elements_ = 0;
    Limit limit_ = Limit::none;
    bool refused_ = false;
};

class Stream final : public DcmInputStream
{
  public:
    explicit Stream(std::shared_ptr<const Source> source, uint64_t at = 0);
    DcmInputStreamFactory *newFactory() const override;
    /* DCMTK marks the stream before each tag. */
    void mark() override;
    Producer &producer()
    {
        return producer_;
    }

  private:
    Producer producer_;
};

} // namespace nod_dicom

#endif
