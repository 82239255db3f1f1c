import Glibc

/// Writes a line to standard error in one piece, so that ranks do not write into each other's.
func printError(_ text: String) {
  var line = text + "\n"
  line.withUTF8 { bytes in
    var done = 0
    while done < bytes.count {
      let written = write(2, bytes.baseAddress! + done, bytes.count - done)
      if written <= 0 { return }
      done += written
    }
  }
}
