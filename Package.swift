// swift-tools-version: 6.1
import PackageDescription

// One settings array for every target of ours. `SQUALL_WARNINGS_AS_ERRORS` is set by scripts/check; it is not the
// default because a newer compiler's new warning must not break a user's build.
let strict: [SwiftSetting] =
    Context.environment["SQUALL_WARNINGS_AS_ERRORS"] == nil ? [] : [.unsafeFlags(["-warnings-as-errors"])]
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + strict

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

// What several test targets share; never linked into the product.
func support(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Tests/" + name, swiftSettings: settings)
}

// A program for tests; never part of the product.
func tool(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    // The runtime is a part of the program: most of what a simulated world does are calls into it.
    .executableTarget(
        name: name, dependencies: dependencies, path: "Tests/" + name, swiftSettings: settings,
        linkerSettings: [
            .unsafeFlags([
                "-static-stdlib", "-lCoreFoundation", "-l_FoundationCShims", "-l_FoundationCollections",
                "-l_FoundationICU",
                "-lstdc++",
            ])
        ])
}

let package = Package(
    name: "squall",
    products: [.executable(name: "squall", targets: ["squall"])],
    dependencies: [
        // Command line parsing and help. 1 checkout; the alternative is a parser of our own for 20 commands.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // YAML with line and column of every node (libyaml). The five dependencies together build in 70 s (release, two cores).
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries: a module map and a shim header each.
        .target(name: "CLinux"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // Reads AWS's XML; Foundation's parser is libxml2, much larger, behind delegates.
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        // Its pkg-config file names a macro that the package manager refuses; the header stands on the usual path.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CNetlink", pkgConfig: "libnl-3.0", providers: [.apt(["libnl-3-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),

        // The order of declaration is the order of layers: a module imports only modules above it.
        module("Basics", ["CLinux"]),
        module("Experiment", ["Basics", .product(name: "Yams", package: "Yams")]),
        module("Contracts", ["Basics", "Experiment"]),
        module("Journal", ["Basics", "Experiment", "Contracts", "CLinux"]),
        module("HTTP", ["Basics", "CCurl"]),
        module("Docker", ["Basics", "Experiment", "Contracts", "HTTP"]),
        module("Process", ["Basics", "Experiment", "Contracts", "Docker", "CLinux"]),
        module("Network", ["Basics", "Experiment", "Contracts", "Docker", "Process", "CLinux", "CNetlink"]),
        module("Web", ["Basics", "Experiment", "Contracts", "HTTP"]),
        module("Postgres", ["Basics", "Experiment", "Contracts", "HTTP", "CPostgres"]),
        module("Redis", ["Basics", "Experiment", "Contracts", "CHiredis", "COpenSSL"]),
        module(
            "AWS",
            ["Basics", "Experiment", "Contracts", "HTTP", "Process", "Postgres", "COpenSSL", "CExpat"]),
        module("Checkers", ["Basics", "Experiment", "Contracts"]),
        module("Controller", ["Basics", "Experiment", "Contracts", "Journal"]),
        module("Report", ["Basics", "Experiment", "Contracts"]),
        // Used by tests only: seeded worlds with virtual time in which the real controller, medic and healer run.
        module(
            "Simulation",
            ["Basics", "Experiment", "Contracts", "Journal", "Docker", "Checkers", "Controller"]),
        .executableTarget(
            name: "squall",
            dependencies: [
                "CLinux", "Basics", "Experiment", "Contracts", "Journal", "HTTP", "Docker", "Process",
                "Network", "Web", "Postgres", "Redis", "AWS", "Checkers", "Controller", "Report",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        support("TestSupport", ["Basics"]),
        support("PostgresSupport", ["Basics", "Postgres", "TestSupport"]),
        support("RedisSupport", ["Basics", "Contracts", "Redis", "TestSupport"]),
        support("AWSSupport", ["Basics", "Contracts", "HTTP", "Process", "AWS", "TestSupport"]),
        // Plays seeds of simulated worlds; scripts/simulate builds it in release.
        tool("Simulate", ["Basics", "Simulation"]),
        tool("NetworkBench", ["Basics", "Contracts", "Process", "Network", "TestSupport"]),
        // Reads the sources as text: it imports nothing of ours.
        tests("Architecture", []),
        // Runs the shell scripts; imports nothing of ours either.
        tests("Script", []),
        tests("Basics", ["Basics"]),
        tests("Experiment", ["Basics", "Experiment"]),
        tests(
            "Shipped",
            [
                "Basics", "Experiment", "Contracts", "Checkers", "Docker", "Process", "Network", "Web", "Postgres",
                "Redis", "AWS",
            ]),
        tests("Contracts", ["Basics", "Contracts"]),
        tests("Process", ["Basics", "Experiment", "Contracts", "HTTP", "Docker", "Process", "CLinux", "TestSupport"]),
        // Kills the released binary: the shim is C that each test run compiles for itself.
        tests("Crash", ["Basics", "Contracts", "Process", "CLinux", "TestSupport"], exclude: ["Shim"]),
        tests(
            "FaultContract",
            [
                "Basics", "Experiment", "Contracts", "Journal", "HTTP", "Docker", "Process", "Network", "Postgres",
                "Redis", "AWS", "Controller", "TestSupport", "PostgresSupport", "RedisSupport", "AWSSupport",
            ]),
        tests("CommandLine", ["Basics", "Experiment", "Contracts", "Journal", "Process"]),
        tests("Controller", ["Basics", "Experiment", "Contracts", "Journal", "Controller", "Simulation"]),
        tests("Postgres", ["Basics", "Experiment", "Contracts", "HTTP", "Postgres", "PostgresSupport"]),
        tests(
            "Network",
            ["Basics", "Experiment", "Contracts", "HTTP", "Docker", "Process", "Network", "CLinux", "TestSupport"]),
        tests("Redis", ["Basics", "Experiment", "Contracts", "Redis", "RedisSupport", "TestSupport"]),
        // The oracle is Python: AWS's own signer.
        tests(
            "AWS",
            ["Basics", "Experiment", "Contracts", "HTTP", "Process", "Postgres", "AWS", "AWSSupport", "TestSupport"],
            exclude: ["Oracle"]),
        tests("Web", ["Basics", "Experiment", "Contracts", "HTTP", "Web", "CLinux"]),
        tests("Docker", ["Basics", "Experiment", "Contracts", "HTTP", "Docker", "Process", "TestSupport"]),
        tests("HTTP", ["Basics", "HTTP", "TestSupport"]),
        tests("Journal", ["Basics", "Experiment", "Contracts", "Journal"]),
        tests("Simulation", ["Basics", "Simulation"]),
        tests("Report", ["Basics", "Experiment", "Contracts", "Report"], exclude: ["Snapshots"]),
        tests("Checkers", ["Basics", "Experiment", "Contracts", "Checkers"]),
    ]
)
