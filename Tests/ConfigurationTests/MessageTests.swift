import Configuration
import Testing

/// Every way to get a config wrong, with the exact sentence that the user reads.
@Suite struct MessageTests {
  @Test(arguments: [
    (
      "optimizer:\n  learning_rate: 1",
      "run.yaml:2: optimizer.learning_rate: unknown key. Did you mean optimizer.learningRate? "
        + "Valid keys: kind, learningRate, weightDecay."
    ),
    (
      "optimizer: {momentum: 1}",
      "run.yaml:1: optimizer.momentum: unknown key. Valid keys: kind, learningRate, weightDecay."
    ),
    (
      "weightDecay: 1",
      "run.yaml:1: weightDecay: unknown key. Did you mean optimizer.weightDecay? Valid keys: about, "
        + "seed, model, augmentation, optimizer, batch, precision, milestones, attacks, weights."
    ),
    (
      "optimizer: {weightDecay: 1e39}",
      "run.yaml:1: optimizer.weightDecay: found the number 1e+39 where a number of at most 3.4e38 "
        + "is expected. Write a smaller number."
    ),
    (
      "seed: 1\n---\nseed: 2",
      "run.yaml:2: not valid YAML: a second document begins. "
        + "Mend the syntax; indentation is by spaces, and strings with : or # need quotes."
    ),
    (
      "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        + "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
        + "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
        + "e: [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]",
      "run.yaml: the file stands for more than 100000 values. "
        + "Write fewer, without aliases of aliases."
    ),
    (
      "seed: 1\nsede: 2",
      "run.yaml:2: sede: unknown key. Did you mean seed? Valid keys: about, seed, model, "
        + "augmentation, optimizer, batch, precision, milestones, attacks, weights."
    ),
    (
      "optimizer: {learningRate: abc}",
      "run.yaml:1: optimizer.learningRate: found the string \"abc\" where a number is expected. "
        + "Write a number without quotes, e.g. 1.0e-3."
    ),
    (
      "optimizer: {kind: adam}",
      "run.yaml:1: optimizer.kind: there is no optimizer \"adam\". Did you mean adamw? "
        + "Known kinds: adamw, sgd."
    ),
    (
      "optimizer: {kind: 3}",
      "run.yaml:1: optimizer.kind: found the integer 3 where the kind of optimizer is expected. "
        + "Known kinds: adamw, sgd."
    ),
    (
      "optimizer: lion",
      "run.yaml:1: optimizer.kind: there is no optimizer \"lion\". Known kinds: adamw, sgd."
    ),
    (
      "optimizer:\n  kind: adamw\n  learningRate: -1",
      "run.yaml:3: optimizer.learningRate: -1.0 is not positive. Give a number above 0."
    ),
    (
      "batch: {size: 100}",
      "run.yaml:1: batch.size: 100 is not a multiple of virtualShards 32. Give a multiple of it."
    ),
    (
      "attacks: [sgd, {kind: sgd, momentun: 1}]",
      "run.yaml:1: attacks[1].momentun: unknown key. Did you mean attacks[1].momentum? "
        + "Valid keys: kind, learningRate, momentum."
    ),
    (
      "precision: f16",
      "run.yaml:1: precision: the string \"f16\" is not a valid value here. "
        + "Choose one of f32, bf16."
    ),
    (
      "augmentation: {flip: yes}",
      "run.yaml:1: augmentation.flip: found the string \"yes\" where true or false is expected. "
        + "Write true or false without quotes."
    ),
    (
      "augmentation: {padding: 1.5}",
      "run.yaml:1: augmentation.padding: found the number 1.5 where an integer is expected. "
        + "Write a whole number of at most 2^53."
    ),
    (
      "seed: -1",
      "run.yaml:1: seed: found the integer -1 where a number that fits UInt64 is expected. "
        + "Write a number in that range."
    ),
    (
      "seed: 18446744073709551615",
      "run.yaml:1: seed: found the number 1.8446744073709552e+19 where an integer is expected. "
        + "Write a whole number of at most 2^53."
    ),
    (
      "about: 12",
      "run.yaml:1: about: found the integer 12 where a string is expected. "
        + "Put the value in double quotes."
    ),
    (
      "batch:\nseed: 1",
      "run.yaml:1: batch: found empty where a mapping of options is expected. "
        + "Write options under it, e.g. batch.size; to keep the defaults, remove the key."
    ),
    (
      "milestones: 3",
      "run.yaml:1: milestones: found the integer 3 where a list is expected. "
        + "Write it in brackets, e.g. [1, 2]."
    ),
    (
      "[1, 2]",
      "run.yaml:1: found a list where a mapping of options is expected. Write key: value lines."
    ),
    (
      "seed: 1\nseed: 2",
      "run.yaml:1: not valid YAML: the key seed is given twice in one mapping. "
        + "Mend the syntax; indentation is by spaces, and strings with : or # need quotes."
    ),
    (
      "seed: 1\nbatch: {size: 3",
      "run.yaml:3: not valid YAML: did not find expected ',' or '}'. "
        + "Mend the syntax; indentation is by spaces, and strings with : or # need quotes."
    ),
  ])
  func isExact(text: String, expected: String) {
    #expect(message { try Kitchen(yaml: text, name: "run.yaml") } == expected)
  }

  @Test(arguments: [
    (
      "optimizer.learningRat=1",
      "--set optimizer.learningRat=1: optimizer.learningRat: unknown key. "
        + "Did you mean optimizer.learningRate? Valid keys: kind, learningRate, weightDecay."
    ),
    (
      "seed",
      "--set seed: not an override. Write KEY=VALUE, e.g. --set optimizer.learningRate=1e-3."
    ),
    (
      "a..b=1",
      "--set a..b=1: not an override. Write KEY=VALUE, e.g. --set optimizer.learningRate=1e-3."
    ),
    (
      "seed.x=1",
      "--set seed.x=1: seed: found a mapping where an integer is expected. "
        + "Write an integer without quotes, e.g. 8."
    ),
    (
      "optimizer.learningRate=0",
      "--set optimizer.learningRate=0: optimizer.learningRate: 0.0 is not positive. "
        + "Give a number above 0."
    ),
  ])
  func ofAnOverrideIsExact(text: String, expected: String) {
    #expect(message { try Kitchen(yaml: "", overrides: [text]) } == expected)
  }

  @Test func optionsMadeInCodeAreCheckedAlike() {
    var kitchen = Kitchen()
    kitchen.batch.size = 33
    #expect(
      message { try kitchen.validated() }
        == "batch.size: 33 is not a multiple of virtualShards 32. Give a multiple of it.")
  }
}
