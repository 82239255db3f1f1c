// The door to libjpeg-turbo. TurboJPEG encodes. Decoding goes through the libjpeg interface of the
// same library, because TurboJPEG 2 can neither decode a part of an image (a training crop needs
// half of it on average) nor say which warning it met. libjpeg leaves an error by a long jump,
// which Swift must not see: every entry below sets its own landing place and returns a status.
#pragma once
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <jerror.h>
#include <turbojpeg.h>

#define CJPEG_ENTRY static __attribute__((noinline, unused))

// A progressive stream may hold any number of scans; no real one comes near this.
enum { cjpeg_scan_limit = 500 };

typedef struct cjpeg_decoder {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
} cjpeg_decoder;

CJPEG_ENTRY void cjpeg_leave(j_common_ptr info) {
  cjpeg_decoder *decoder = (cjpeg_decoder *)info;
  info->err->format_message(info, decoder->message);
  longjmp(decoder->escape, 1);
}

// Warnings that mean lost pixels become errors; the others (stray bytes, odd versions) do not.
CJPEG_ENTRY void cjpeg_warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_JPEG_EOF:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      cjpeg_leave(info);
    default:
      info->err->num_warnings++;
  }
}

CJPEG_ENTRY void cjpeg_count_scans(j_common_ptr info) {
  if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > cjpeg_scan_limit) {
    info->err->msg_code = JERR_BAD_PROGRESSION;
    cjpeg_leave(info);
  }
}

CJPEG_ENTRY cjpeg_decoder *cjpeg_make(void) {
  cjpeg_decoder *decoder = (cjpeg_decoder *)calloc(1, sizeof(cjpeg_decoder));
  if (!decoder) return NULL;
  decoder->info.err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = cjpeg_leave;
  decoder->errors.emit_message = cjpeg_warn;
  decoder->progress.progress_monitor = cjpeg_count_scans;
  if (setjmp(decoder->escape)) {
    free(decoder);
    return NULL;
  }
  jpeg_create_decompress(&decoder->info);
  decoder->info.progress = &decoder->progress;
  return decoder;
}

CJPEG_ENTRY void cjpeg_free(cjpeg_decoder *decoder) {
  jpeg_destroy_decompress(&decoder->info);
  free(decoder);
}

CJPEG_ENTRY const char *cjpeg_message(const cjpeg_decoder *decoder) { return decoder->message; }

// Opens a stream at 1/denominator of its size with columns *x ..< *x + *width of that size, which
// are widened to whole blocks. Returns 0, or -1 with a message.
CJPEG_ENTRY int cjpeg_start(cjpeg_decoder *decoder, const unsigned char *bytes, size_t count,
                            int channels, int denominator, unsigned *x, unsigned *width,
                            unsigned *full_width, unsigned *full_height) {
  struct jpeg_decompress_struct *info = &decoder->info;
  if (setjmp(decoder->escape)) {
    jpeg_abort_decompress(info);
    return -1;
  }
  jpeg_mem_src(info, bytes, count);
  jpeg_read_header(info, TRUE);
  info->out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  info->scale_num = 1;
  info->scale_denom = (unsigned)denominator;
  info->dct_method = JDCT_ISLOW;
  *full_width = info->image_width;
  *full_height = info->image_height;
  jpeg_start_decompress(info);
  if (*x + *width < info->output_width || *x > 0) jpeg_crop_scanline(info, x, width);
  return 0;
}

// Rows top ..< top + height into `rows`, then lets go of the stream. Returns 0, or -1 with a message.
CJPEG_ENTRY int cjpeg_read_rows(cjpeg_decoder *decoder, unsigned top, unsigned height,
                                unsigned char *rows, size_t row_bytes) {
  struct jpeg_decompress_struct *info = &decoder->info;
  if (setjmp(decoder->escape)) {
    jpeg_abort_decompress(info);
    return -1;
  }
  if (top > 0) jpeg_skip_scanlines(info, top);
  for (unsigned y = 0; y < height; y++) {
    JSAMPROW row = rows + y * row_bytes;
    if (jpeg_read_scanlines(info, &row, 1) == 0) {
      info->err->msg_code = JERR_BAD_STATE;
      cjpeg_leave((j_common_ptr)info);
    }
  }
  jpeg_abort_decompress(info);
  return 0;
}
