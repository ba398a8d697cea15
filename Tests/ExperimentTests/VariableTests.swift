internal import Basics
import Testing

@testable import Experiment

@Suite struct VariableTests {
    private let text = """
        title: ${name} in ${region}
        configuration:
          name: plain
          region: {type: env, key: AWS_REGION, default: us-east-1}
          note: {type: file, path: note.txt, default: none}
          both: "${name}-${region}"
        description: "${both} ${note} $${literal}"
        method: []
        criteria: {recovery: {}}
        """

    @Test func takesValuesFromTheFileTheEnvironmentAndDefaults() throws {
        let defaults = try load(text).get()
        #expect(defaults.title == "plain in us-east-1")
        #expect(defaults.description == "plain-us-east-1 none ${literal}")
        let set = try load(text, files: ["note.txt": "from a file\n"], environment: ["AWS_REGION": "eu-west-1"]).get()
        #expect(set.title == "plain in eu-west-1")
        #expect(set.description == "plain-eu-west-1 from a file ${literal}")
        #expect(try load(text, environment: ["AWS_REGION": ""]).get().title == "plain in us-east-1")
    }

    @Test(arguments: ["TEST_ENVIRONMENT", "TARGET_HOST", "AWS_REGION", "SECONDARY_REGION"])
    func readsTheVariablesOfTheTestScriptsLikeAnyOther(key: String) throws {
        let text = "title: ${x}\nconfiguration: {x: {type: env, key: \(key)}}\nmethod: []\ncriteria: {recovery: {}}\n"
        #expect(try load(text, environment: [key: "value"]).get().title == "value")
        let messages = load(text).diagnostics.all.map(\.message)
        #expect(messages == ["'x' needs the environment variable \(key), which is not set"])
    }

    @Test func letsTheCommandLineWin() throws {
        let overrides = [NamedValue(name: "region", value: "west"), NamedValue(name: "name", value: "${region}")]
        let experiment = try load(text, environment: ["AWS_REGION": "east"], overrides: overrides).get()
        #expect(experiment.title == "${region} in west")
        #expect(experiment.configuration.first { $0.name == "both" }?.value == "${region}-west")
    }

    @Test func refusesAnOverrideThatTheFileDoesNotKnow() {
        let result = load(text, overrides: [NamedValue(name: "regoin", value: "x")])
        #expect(result.diagnostics.all.map(\.message) == ["--var regoin=…: x.yaml declares no such variable"])
        #expect(result.diagnostics.all.first?.notes == ["did you mean 'region'?"])
    }

    @Test func reportsAnUndefinedNameWhereItIsUsed() {
        expectFindings(
            """
            title: "one ${nmae} and ${other} and ${nmae}"
            #           ^ 'nmae' is no declared variable | did you mean '${name}'?
            #                       ^ 'other' is no declared variable | declare it under configuration, or write $${ for a literal ${
            #                                    ^ 'nmae' is no declared variable
            description: |
              The first line.
              The second: ${wrong}
            #             ^ 'wrong' is no declared variable
            tags: ["${open"]
            #       ^ '${' without '}' | write $${ for a literal ${
            configuration:
              early: "${name}"
              #       ^ 'name' is no declared variable
              name: value
              bad name: 3
            # ^ 'bad name' cannot be the name of a variable
              empty:
            # ^ the variable 'empty' has no value
              mixed: {type: env, path: a}
              #      ^ missing 'key' beside type: env
              #                        ^ 'path' does not go with type: env
              typed: {type: evn, key: A}
              #             ^ 'evn' is not one of env, file | did you mean 'env'?
              absent: {type: file, path: absent.txt}
              #       ^ 'absent' cannot be read from absent.txt: there is no such file
            method: []
            criteria: {recovery: {within: "${within}"}}
            #                              ^ 'within' is no declared variable
            """)
    }

    @Test func showsWhatAVariableHeldWhenItsValueIsWrong() {
        expectFindings(
            """
            title: t
            configuration: {within: 5, seed: x}
            method: []
            seed: ${seed}
            #     ^ expected a whole number from 0 to 18446744073709551615, found 'x' (from ${seed})
            criteria: {recovery: {within: "${within}"}}
            #                             ^ expected a duration with its unit, for example 250ms, 30s or 2m, found '5' (from ${within})
            """)
    }
}

@Suite struct SecretTests {
    @Test func leavesTheReferenceInEveryParameter() throws {
        let result = load(completeText)
        let experiment = try result.get()
        guard case .mapping(let parameters) = experiment.probes[0].parameters else { return #expect(Bool(false)) }
        #expect(parameters["dsn"]?.shape == "'host=127.0.0.1 password=${password}' (from ${dsn})")
        #expect(!"\(experiment)".contains("s3cret-value"))
        #expect(!"\(result.diagnostics)".contains("s3cret-value"))
    }

    @Test func revealsAValueWithoutTheLineBreakThatEndsAFile() throws {
        let files = FileAccess.memory(["pg": "line one\nline two\r\n", "empty": "\n"])
        let loader = SecretLoader(environment: ["TOKEN": "abc\n"], files: files)
        #expect(try loader.load(SecretReference(type: .file, key: "pg")) == "line one\nline two")
        #expect(try loader.load(SecretReference(type: .env, key: "TOKEN")) == "abc\n")
        #expect(throws: SecretProblem("the secret file empty is empty", advice: "ls -l empty")) {
            try loader.load(SecretReference(type: .file, key: "empty"))
        }
        #expect(throws: SecretProblem("the environment variable NONE is not set", advice: "export NONE=…")) {
            try loader.load(SecretReference(type: .env, key: "NONE"))
        }
    }

    @Test func refusesASecretThatIsMissingOrWouldBeWritten() {
        expectFindings(
            """
            title: the password is ${password}
            #      ^ the secret 'password' is not revealed here | secrets are revealed in the parameters of probes and faults only
            configuration:
              dsn: "password=${password}"
              token: x
            description: ${dsn}
            #            ^ the secret 'password' is not revealed here
            secrets:
              password: {type: file, path: secrets/pg}
              gone: {type: file, path: secrets/gone}
            # ^ secret 'gone': the secret file secrets/gone cannot be read: there is no such file | ls -l secrets/gone
              unset: {type: env, key: UNSET_TOKEN}
            # ^ secret 'unset': the environment variable UNSET_TOKEN is not set | export UNSET_TOKEN=…
              plain: hunter2
              #      ^ expected a mapping with type, found 'hunter2'
              fallback: {type: env, key: A, default: x}
              #                             ^ unknown key 'default'
            targets:
              a: {docker: {labels: {token: "${password}"}}}
              #                            ^ the secret 'password' is not revealed here
            method:
              - {fault: fake.run, command: [login, "${password}", "$${password}"]}
              #                                                    ^ '$${password}' cannot be told from the secret 'password' when it is used | rename the secret
            criteria: {recovery: {}}
            """)
    }

    @Test func refusesASecretFromTheCommandLine() {
        let result = load(completeText, overrides: [NamedValue(name: "password", value: "hunter2")])
        #expect(result.diagnostics.all.map(\.message) == ["--var password=…: 'password' is a secret"])
        #expect(!"\(result.diagnostics)".contains("hunter2"))
    }

    @Test func refusesANameThatIsBothVariableAndSecret() {
        expectFindings(
            """
            title: t
            configuration: {password: x}
            #               ^ 'password' is declared as a secret too
            secrets: {password: {type: file, path: secrets/pg}}
            method: []
            criteria: {recovery: {}}
            """)
    }
}
