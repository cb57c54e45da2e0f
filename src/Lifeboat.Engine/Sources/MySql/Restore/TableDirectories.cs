using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Tables whose files are in a directory of their own (<c>DATA DIRECTORY</c>). MariaDB leaves InnoDB's files where they are when such a table is renamed into
/// another database, and does not find them any more after its next start: no restore may rename one.
/// </summary>
internal static class TableDirectories
{
    /// <summary>What is said of captured tables that had such directories; null where none had.</summary>
    public static Problem? LeftOut(IReadOnlyList<(string Table, string Create)> tables)
    {
        string[] found =
        [
            .. tables.Select(static one => (one.Table, Directories: TableDefinition.Read(one.Create)?.Directories.Distinct().ToArray() ?? []))
                .Where(static one => one.Directories.Length > 0).Select(static one => $"{one.Table} ({string.Join(", ", one.Directories)})"),
        ];
        return found.Length == 0 ? null : new Problem(
            ErrorCodes.MySqlDirectoryLeftOut, $"{found.Length} table(s) had their files in directories of their own, and get them where the server has all others: "
            + string.Join(", ", found.Take(20)),
            "see that the server's data directory has room for them; a table gets a directory again by CREATE TABLE … DATA DIRECTORY, INSERT … SELECT and RENAME TABLE");
    }

    /// <summary>Live tables that could not be renamed without losing them.</summary>
    public static async Task<IReadOnlyList<Problem>> LiveAsync(MySqlSession session, string live, CancellationToken cancellation)
    {
        if (session.Server.Family != "mariadb")
            return [];
        IReadOnlyList<string?[]> elsewhere = await session.SelectAsync(
            ["t.TABLE_NAME", "MIN(s.FILENAME)"],
            "FROM information_schema.TABLES t JOIN information_schema.INNODB_SYS_TABLESPACES s ON CAST(SUBSTRING_INDEX(s.NAME, '#P#', 1) AS BINARY) = "
            + "CAST(CONCAT(CAST(CONVERT(t.TABLE_SCHEMA USING filename) AS BINARY), '/', CAST(CONVERT(t.TABLE_NAME USING filename) AS BINARY)) AS BINARY) "
            + $"WHERE t.TABLE_SCHEMA = {SqlText.Literal(live)} AND s.FILENAME NOT LIKE './%' GROUP BY t.TABLE_NAME", cancellation);
        return
        [
            .. elsewhere.Select(row => new Problem(
                ErrorCodes.MySqlTableNotMovable, $"table {row[0]} of the live database has its files elsewhere ({row[1]}): MariaDB loses such a table when it is put aside",
                $"run SET sql_mode = 'NO_DIR_IN_CREATE'; ALTER TABLE {SqlText.Identifier(live, row[0]!)} ENGINE=InnoDB, ALGORITHM=COPY; "
                + "which brings its files into the server's data directory; then restore", session.Connection.Source)),
        ];
    }
}
