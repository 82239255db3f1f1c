import Configuration
import Testing

@Suite struct JSONTests {
  @Test func readsWhatItWrites() throws {
    let tree: ValueTree = [
      "empty": [:], "list": [1, 2.5, true, "a\"\\\n\u{1}é😀", []], "nested": ["x": -3],
      "tiny": 5e-324,
    ]
    #expect(
      tree.json
        == #"{"empty":{},"list":[1,2.5,true,"a\"\\\n\u0001é😀",[]],"nested":{"x":-3},"tiny":5e-324}"#
    )
    #expect(try ValueTree(json: tree.json.utf8, name: "t") == tree)
    #expect(try ValueTree(yaml: tree.yaml, name: "t") == tree)
    let spaced = " { \"a\" :\n[ 1 , null ] , \"b\":\"\\u00e9\\ud83d\\ude00\\/\" } "
    #expect(
      try ValueTree(json: spaced.utf8, name: "t") == ["a": [1, .init(.null)], "b": "é😀/"])
  }

  @Test(arguments: [
    ("", "the text ends early"), ("{\"a\":1", "a comma or } is missing"),
    ("[1 2]", "a comma or ] is missing"), ("{\"a\" 1}", "a colon is missing"),
    ("{a:1}", "a string is missing"), ("[yes]", "\"yes\" is not a value"),
    ("[0x10]", "\"0x10\" is not a value"), ("[.inf]", "\".inf\" is not a value"),
    ("\"abc", "a string does not end, or is not UTF-8"), ("\"\\", "a string does not end"),
    ("\"\\x\"", "a string has an unknown escape"), ("1 2", "there is text after the value"),
    ("\"\\ud800\\u0041\"", "a \\u escape is no character"),
    ("\"\\ud8\"", "a \\u escape needs four hexadecimal digits"),
    ("{\"a\":1,\"a\":2}", "the key a is given twice"),
    (String(repeating: "[", count: 100_000), "the nesting is too deep"),
  ])
  func refusesWhatIsNotJSON(text: String, problem: String) {
    #expect(
      message { try ValueTree(json: text.utf8, name: "f.json") }
        == "f.json:1: not valid JSON: \(problem). Mend the syntax or write the file again.")
  }
}
