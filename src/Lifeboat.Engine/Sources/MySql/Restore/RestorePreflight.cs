using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>What preflight found out, for the steps that follow.</summary>
/// <param name="Create">Accounts of the snapshot that are not on the server.</param>
internal sealed record PreparedRestore(RestorePlan Plan, IReadOnlyList<Account> Create, bool LiveExists);

/// <summary>Looks at the target server and says what a restore would do there, and every reason why it would fail. Changes nothing.</summary>
internal sealed class RestorePreflight(RestoreTarget target, MySqlSession session)
{
    private static readonly string[] s_rights =
    [
        "SELECT", "INSERT", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER",
    ];

    private readonly List<Problem> _blockers = [];
    private readonly List<Problem> _warnings = [];
    private readonly List<string> _steps = [];

    private MySqlDetails Details => target.Details;

    private RestoreNames Names => target.Names;

    public async Task<PreparedRestore> RunAsync(CancellationToken cancellation)
    {
        CheckServer();
        await CheckFeaturesAsync(cancellation);
        CaptureRights rights = await CaptureRights.ReadAsync(session, Names.Live, cancellation);
        string[] missing = [.. s_rights.Where(right => !rights.HasGlobal(right))];
        if (missing.Length > 0)
            Block(
                ErrorCodes.MySqlRightMissing, $"{session.Server.Account} lacks rights on the whole server: {string.Join(", ", missing)}",
                "connect as an account with ALL PRIVILEGES ON *.*; a restore makes databases beside the live one");
        HashSet<string> databases = [.. (await session.SelectAsync(["SCHEMA_NAME"], "FROM information_schema.SCHEMATA", cancellation)).Select(static row => row[0]!)];
        bool live = databases.Contains(Names.Live);
        foreach (string name in new[] { Names.Staging, Names.Before }.Where(databases.Contains))
            Block(ErrorCodes.MySqlNameTaken, $"there is a database {name} already", "it is of an earlier restore: drop it when nobody needs it, then run again");
        if (live)
        {
            await CheckReferencesAsync(cancellation);
            await session.ExecuteAsync($"USE {SqlText.Identifier(Names.Live)}", cancellation);
            Definitions there = new(session, Names.Live);
            await there.ObjectsAsync(cancellation);
            _blockers.AddRange(there.InvalidViews.Select(view => DatabaseSwitch.InvalidView(Names.Live, view, target.Source)));
        }

        IReadOnlyList<Account> create = missing.Length == 0 ? await PlanAccountsAsync(rights, cancellation) : [];
        _steps.Add(live
            ? $"replace database {Names.Live}, which is kept as {Names.Before}"
            : $"create database {Names.Live}");
        _steps.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"load {Details.Tables.Count} tables with {target.Captured.Tables!.Sum(static t => t.Rows)} rows, {Details.Sequences.Count} sequences, {Details.Objects.Count} routines, views, triggers and events"));
        _steps.AddRange(create.Select(static account => $"create {(account.Role ? "role" : "account")} {account.Name}"));
        RestorePlan plan = new(
            target.Connection.Target, live, live ? $"database {Names.Before}" : null, _steps, await BytesNeededAsync(cancellation), _blockers, _warnings);
        return new PreparedRestore(plan, create, live);
    }

    private void Block(ErrorCode code, string message, string hint) => _blockers.Add(new Problem(code, message, hint, target.Source));

    private void Warn(ErrorCode code, string message, string hint) => _warnings.Add(new Problem(code, message, hint, target.Source));

    private void CheckServer()
    {
        MySqlServer server = session.Server;
        if (server.Family != Details.Family)
            Block(
                ErrorCodes.MySqlServerDiffers,
                $"the snapshot is of {target.Captured.Engine}, and the server is {server.Name}: definitions and accounts of one are not those of the other",
                "restore to a server of the snapshot's kind; to change over, load the snapshot's schema.sql by hand, mend it, and load the rows by load.sql");
        if (server.LowerCaseTableNames != Details.LowerCaseTableNames && (server.LowerCaseTableNames == 0) != (Details.LowerCaseTableNames == 0))
            Block(
                ErrorCodes.MySqlServerDiffers,
                $"names of tables are told apart by case on one server and not on the other (lower_case_table_names {Details.LowerCaseTableNames} and {server.LowerCaseTableNames})",
                "restore to a server with the same lower_case_table_names");
        // A row becomes one statement: quotes and backslashes grow, and the statement has a head.
        long packet = (Details.LongestRow * 5 / 4) + (64 * 1024);
        if (Details.LongestRow > 512 * 1024 && packet > server.MaxAllowedPacket)
            Block(
                ErrorCodes.MySqlPacketTooSmall,
                string.Create(CultureInfo.InvariantCulture, $"the longest row has {Details.LongestRow} bytes, and the server takes statements of {server.MaxAllowedPacket} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"run SET GLOBAL max_allowed_packet = {(packet / 1024 + 1) * 1024} on the server, then the restore again"));
        foreach (MySqlTable table in Details.Tables.Where(static t => t.TransactionHistory == true))
            Block(
                ErrorCodes.MySqlHistoryUnwritable, $"table {table.Name} tells its history by ids of transactions, which no statement can write",
                "load the snapshot by hand (restore_instructions.md), with ROW START and ROW END of that table as TIMESTAMP(6), and without these two columns' values");
        if (Details.Tables.Any(static t => t.Versioned) && !server.CanWriteHistory)
            Block(
                ErrorCodes.MySqlServerDiffers, "the snapshot has system-versioned tables with their history, which this server cannot write",
                "restore to MariaDB 10.11 or newer");
    }

    private async Task CheckFeaturesAsync(CancellationToken cancellation)
    {
        HashSet<string> collations = [.. (await session.SelectAsync(["COLLATION_NAME"], "FROM information_schema.COLLATIONS", cancellation)).Select(static row => row[0]!)];
        HashSet<string> engines = new(
            (await session.SelectAsync(["ENGINE"], "FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')", cancellation)).Select(static row => row[0]!),
            StringComparer.OrdinalIgnoreCase);
        // MariaDB 10.10 and later list some collations without their character set's name.
        foreach (string missing in Details.Collations.Where(name => !collations.Contains(name) && !collations.Any(c => name.EndsWith("_" + c, StringComparison.Ordinal))))
            Block(ErrorCodes.MySqlServerDiffers, $"the server has no collation {missing}", "restore to a server of the snapshot's kind and version, or newer");
        foreach (string missing in Details.Tables.Select(static t => t.Engine).Distinct().Where(engine => engine.Length > 0 && !engines.Contains(engine)))
            Block(ErrorCodes.MySqlServerDiffers, $"the server has no storage engine {missing}", "install the engine's plugin on the server, then run again");
    }

    /// <summary>Foreign keys follow a table when it is renamed: those of other databases would follow the live tables aside.</summary>
    private async Task CheckReferencesAsync(CancellationToken cancellation)
    {
        string live = SqlText.Literal(Names.Live);
        foreach (string?[] row in await session.SelectAsync(
            ["CONSTRAINT_SCHEMA", "TABLE_NAME", "CONSTRAINT_NAME"],
            $"FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA = {live} AND CONSTRAINT_SCHEMA <> {live}", cancellation))
            Block(
                ErrorCodes.MySqlReferencedFromOutside,
                $"the foreign key {row[2]} of table {row[0]}.{row[1]} refers to a table of database {Names.Live}, and would follow the replaced one",
                "drop that foreign key, restore, and create it again");
    }

    private async Task<IReadOnlyList<Account>> PlanAccountsAsync(CaptureRights rights, CancellationToken cancellation)
    {
        IReadOnlyList<Account> captured = await target.AccountsAsync(cancellation);
        if (captured.Count == 0 || session.Server.Family != Details.Family)
            return [];
        if (!rights.MayReadAccounts)
        {
            Block(ErrorCodes.MySqlRightMissing, "the snapshot has accounts, and the server's own may not be read", "connect as an account with ALL PRIVILEGES ON *.*");
            return [];
        }

        HashSet<string> plugins = new(
            (await session.SelectAsync(["PLUGIN_NAME"], "FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE'", cancellation)).Select(static row => row[0]!),
            StringComparer.OrdinalIgnoreCase);
        List<Account> create = [];
        foreach (Account account in captured)
        {
            if (await ExistsAsync(account, cancellation))
            {
                Account there = await AccountReader.ReadAsync(session, account.User, account.Host, account.Role && account.Host.Length == 0, cancellation);
                if (there.Create != account.Create || !there.Grants.ToHashSet().SetEquals(account.Grants))
                    Warn(
                        ErrorCodes.MySqlAccountDiffers, $"account {account.Name} is on the server and stays as it is; the snapshot's has another password, other options or other grants",
                        $"see {target.Folder}/users.sql in the snapshot, and change the account by hand if it should be as it was");
                continue;
            }

            create.Add(account);
            foreach (string plugin in AccountReader.Plugins(account.Create).Where(plugin => !plugins.Contains(plugin)))
                Block(
                    ErrorCodes.MySqlServerDiffers, $"account {account.Name} logs in by the authentication plugin {plugin}, which the server does not have",
                    "install the plugin on the server, then run again");
        }

        if (create.Count > 0 && !rights.HasGlobal("CREATE USER"))
            Block(ErrorCodes.MySqlRightMissing, $"{session.Server.Account} may not create accounts", "connect as an account with ALL PRIVILEGES ON *.* WITH GRANT OPTION");
        return create;
    }

    private async Task<bool> ExistsAsync(Account account, CancellationToken cancellation) => await session.SelectOneAsync(
        "COUNT(*)", $"FROM mysql.user WHERE User = {SqlText.Literal(account.User)} AND Host = {SqlText.Literal(account.Host)}", cancellation) != "0";

    private async Task<IReadOnlyDictionary<string, long>> BytesNeededAsync(CancellationToken cancellation)
    {
        if (target.Connection.Via.Count > 0 || target.Connection.IsRemote)
            return new Dictionary<string, long>();
        string? folder = await session.SelectOneAsync("@@datadir", "", cancellation);
        return folder is not null && Directory.Exists(folder)
            ? new Dictionary<string, long> { [folder] = target.Captured.Bytes * 2 }
            : new Dictionary<string, long>();
    }
}
