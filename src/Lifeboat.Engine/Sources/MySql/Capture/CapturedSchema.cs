using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>Everything of a database but its rows.</summary>
internal sealed record CapturedSchema
{
    public required string DatabaseOptions { get; init; }

    public required IReadOnlyList<CatalogueTable> Tables { get; init; }

    /// <summary>CREATE TABLE of each table, a character for a byte.</summary>
    public required IReadOnlyList<string> Creates { get; init; }

    public required IReadOnlyList<(string Create, MySqlSequence Sequence)> Sequences { get; init; }

    public required IReadOnlyList<Definition> Objects { get; init; }

    /// <summary>Null where they may not be read.</summary>
    public required IReadOnlyList<Account>? Accounts { get; init; }

    /// <summary>What is known of accounts and not captured.</summary>
    public required IReadOnlyList<Problem> AccountsLeftOut { get; init; }

    public required IReadOnlyList<string> Collations { get; init; }

    public required IReadOnlyList<string> InvalidViews { get; init; }

    public IEnumerable<Problem> Warnings
    {
        get
        {
            string[] loose = [.. Tables.Where(static t => !t.Transactional && t.OwnsRows).Select(static t => $"{t.Name} ({t.Engine})")];
            if (loose.Length > 0)
                yield return new Problem(
                    ErrorCodes.MySqlNotTransactional,
                    $"{loose.Length} table(s) without transactions may hold rows from after the cut: {string.Join(", ", loose.Take(20))}",
                    "ALTER TABLE … ENGINE=InnoDB makes them part of the consistent cut; or stop writes to them during a backup");
            string[] showing = [.. Tables.Where(static t => !t.OwnsRows).Select(static t => $"{t.Name} ({t.Engine})")];
            if (showing.Length > 0)
                yield return new Problem(
                    ErrorCodes.MySqlRowsElsewhere,
                    $"{showing.Length} table(s) show rows that are elsewhere, and are captured by their definition only: {string.Join(", ", showing.Take(20))}",
                    "see that the tables, files or servers that have the rows are backed up too");
            string[] unwritable = [.. Tables.Where(static t => t.TransactionHistory).Select(static t => t.Name)];
            if (unwritable.Length > 0)
                yield return new Problem(
                    ErrorCodes.MySqlHistoryUnwritable,
                    $"{unwritable.Length} table(s) tell their history by ids of transactions, which no restore can write: {string.Join(", ", unwritable.Take(20))}",
                    "ALTER TABLE … to columns of type TIMESTAMP(6) for ROW START and ROW END; a snapshot with such tables cannot be restored by Lifeboat");
            foreach (string view in InvalidViews)
                yield return new Problem(
                    ErrorCodes.MySqlViewInvalid, $"view {view} refers to something that is not there, and is left out: no server would take it",
                    "mend the view, or drop it");
            foreach (Problem left in AccountsLeftOut)
                yield return left;
            if (Accounts is null)
                yield return new Problem(
                    ErrorCodes.MySqlAccountsLeftOut,
                    "accounts and grants may not be read: the snapshot has none",
                    "GRANT SELECT ON mysql.* TO the account to have them in the snapshot; otherwise create them by hand after a restore on another server");
        }
    }

    /// <param name="session">Must be in the database.</param>
    public static async Task<CapturedSchema> ReadAsync(
        MySqlSession session, string database, bool allAccounts, CaptureRights rights, CancellationToken cancellation)
    {
        Definitions definitions = new(session, database);
        IReadOnlyList<CatalogueTable> tables = await TableCatalogue.ReadAsync(session, database, cancellation);
        List<string> creates = [];
        foreach (CatalogueTable table in tables)
            creates.Add(await definitions.TableAsync(table.Name, cancellation));
        IReadOnlyList<Definition> objects = await definitions.ObjectsAsync(cancellation);
        IReadOnlyList<Account>? accounts = rights.MayReadAccounts ? await AccountReader.ReadAsync(session, cancellation) : null;
        if (accounts is not null && !allAccounts)
            accounts = AccountReader.Related(accounts, database, objects.Select(static o => o.Create));
        string here = SqlText.Literal(database);
        IReadOnlyList<string?[]> collations = await session.SelectAsync(
            ["name"],
            $"FROM (SELECT COLLATION_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {here} AND COLLATION_NAME IS NOT NULL "
            + $"UNION SELECT TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = {here} AND TABLE_COLLATION IS NOT NULL "
            + $"UNION SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {here}) used ORDER BY name", cancellation);
        return new CapturedSchema
        {
            DatabaseOptions = await definitions.DatabaseOptionsAsync(cancellation),
            Tables = tables,
            Creates = creates,
            Sequences = await definitions.SequencesAsync(cancellation),
            Objects = objects,
            Accounts = accounts,
            AccountsLeftOut = accounts is null ? [] : await AccountReader.LeftOutAsync(session, accounts, database, cancellation),
            InvalidViews = definitions.InvalidViews,
            Collations = [.. collations.Select(static row => row[0]!)],
        };
    }
}
