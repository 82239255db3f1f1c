import Testing
import Training

@Suite struct ProgressTests {
  private final class Screen { var text = "" }

  private func progress(_ step: Int) -> Progress {
    Progress(
      step: step, totalSteps: 1000, epoch: Double(step) / 100, epochs: 10, loss: 1.23456,
      learningRate: 9.93e-4, imagesPerSecond: 1234.4)
  }

  @Test func outsideATerminalLinesComeAtACadence() {
    let screen = Screen()
    var bar = ProgressBar(isTerminal: false, columns: 80, secondsBetweenLines: 10) {
      screen.text += $0
    }
    for second in 0...20 { bar.update(progress(1 + second), at: Double(100 + second)) }
    bar.update(progress(1000), at: 121)
    bar.finish()
    #expect(
      screen.text == """
        step 1/1000  epoch 0.01/10  loss 1.2346  lr 9.93e-04  1234 img/s  ETA --:--
        step 11/1000  epoch 0.11/10  loss 1.2346  lr 9.93e-04  1234 img/s  ETA 16:29
        step 21/1000  epoch 0.21/10  loss 1.2346  lr 9.93e-04  1234 img/s  ETA 16:19
        step 1000/1000  epoch 10.00/10  loss 1.2346  lr 9.93e-04  1234 img/s  ETA 00:00

        """)
  }

  @Test func onATerminalOneLineRenewsItself() {
    let screen = Screen()
    var bar = ProgressBar(isTerminal: true, columns: 100) { screen.text += $0 }
    bar.update(progress(500), at: 0)
    bar.update(progress(501), at: 0.05)
    bar.note("checkpoint saved")
    bar.update(progress(600), at: 0.06)
    bar.finish()
    let text = "epoch 5.00/10  loss 1.2346  lr 9.93e-04  1234 img/s  ETA --:--"
    #expect(
      screen.text == "\r[#########..........] step 500/1000  \(text)\u{1B}[K"
        + "\r\u{1B}[Kcheckpoint saved\n"
        + "\r[###########........] step 600/1000  epoch 6.00/10  loss 1.2346  lr 9.93e-04  "
        + "1234 img/s  ETA 00:01\u{1B}[K\n")
  }

  @Test func aNarrowTerminalGetsACutLine() {
    let screen = Screen()
    var bar = ProgressBar(isTerminal: true, columns: 20) { screen.text += $0 }
    bar.update(progress(500), at: 0)
    #expect(screen.text == "\rstep 500/1000  epoc\u{1B}[K")
  }

  @Test(arguments: [
    (0.0, "00:00"), (59.2, "01:00"), (3723, "1:02:03"), (183_845, "2d 03:04:05"), (-1, "--:--"),
    (.infinity, "--:--"), (.nan, "--:--"),
  ])
  func durations(seconds: Double, text: String) {
    #expect(Progress.clock(seconds) == text)
  }

  @Test func phasesShareTheTime() {
    var times = PhaseTimes()
    #expect(times.share(.compute) == 0)
    times.add(.compute, 3)
    times.add(.compute, 6.3)
    times.add(.data, 0.1)
    times.add(.reduce, 0.4)
    times.add(.update, 0.2)
    #expect(times.text == "compute 93 %, data 1 %, reduce 4 %, update 2 %")
    times.reset()
    #expect(times == PhaseTimes())
    var watch = Stopwatch()
    let lap = watch.lap()
    #expect(lap >= 0 && watch.seconds >= 0)
  }
}
