import Process
import Testing

@Suite struct ProcessNameTests {
    @Test(
        arguments: [
            ("patroni", "patroni", ["/usr/bin/python3", "/usr/bin/patroni", "/etc/patroni.yml"], true),
            ("patroni", "python3", ["python3", "-u", "/usr/local/bin/patroni"], true),
            ("patroni", "python3.11", ["/usr/bin/python3.11", "-Wd", "patroni"], true),
            ("patroni", "python3", ["python3", "agent.py", "patroni"], false),
            ("patroni", "vi", ["vi", "/etc/patroni"], false),
            ("patroni", "patroni-exporter", ["/usr/bin/patroni-exporter"], false),
            ("postgres", "postgres", ["postgres: 15/main: walwriter "], true),
            ("postgres", "postgres", ["/usr/lib/postgresql/15/bin/postgres", "-D", "/data"], true),
            ("long-program-name", "long-program-na", ["/opt/long-program-name"], true),
            ("long-program-na", "long-program-na", ["/opt/long-program-name"], true),
            ("run.sh", "bash", ["/bin/bash", "-e", "/opt/run.sh"], true),
            ("fmt", "shfmt", ["shfmt", "fmt"], false),
            ("kworker", "kworker", [], false),
            ("", "sleep", ["sleep", "60"], false),
        ] as [(String, String, [String], Bool)])
    func matchesWhatPeopleCallAProcess(text: String, name: String, arguments: [String], matches: Bool) {
        #expect(ProcessName(text).matches(name: name, arguments: arguments) == matches)
    }
}
