package import Basics

/// The answer to one statement: rows in text form, and what the server remarked.
package struct QueryResult: Sendable, Hashable {
    /// A remark of the server that is no error.
    package struct Notice: Sendable, Hashable {
        /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, never translated.
        package var severity: String
        package var sqlState: String
        package var message: String

        package init(severity: String, sqlState: String, message: String) {
            self.severity = severity
            self.sqlState = sqlState
            self.message = message
        }
    }

    package var columns: [String]
    package var rows: [[String?]]
    /// `INSERT 0 1`
    package var commandTag: String
    /// Everything remarked while the statement ran, its commit included.
    package var notices: [Notice]
    /// When the server was ready again, stamped where the answer was read; nil in a result made by hand.
    package var endedAt: Instant?

    package init(columns: [String] = [], rows: [[String?]] = [], commandTag: String = "", notices: [Notice] = []) {
        self.columns = columns
        self.rows = rows
        self.commandTag = commandTag
        self.notices = notices
    }

    /// The value at a row and column; nil for NULL and for a place that does not exist.
    package subscript(row: Int, column: Int) -> String? {
        rows.indices.contains(row) && rows[row].indices.contains(column) ? rows[row][column] : nil
    }

    /// The value as a whole number; nil when it is none.
    package func integer(_ row: Int, _ column: Int) -> Int64? { self[row, column].flatMap { Int64($0) } }

    /// The value as a boolean (`t` or `f` on the wire); nil for NULL.
    package func boolean(_ row: Int, _ column: Int) -> Bool? { self[row, column].map { $0 == "t" } }
}
