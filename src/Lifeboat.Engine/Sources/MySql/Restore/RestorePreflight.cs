using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Capture;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>What preflight found out, for the steps that follow.</summary>
internal sealed record PreparedRestore(RestorePlan Plan, AccountPlan Accounts, bool LiveExists);

/// <summary>Looks at the target server and says what a restore would do there, and every reason why it would fail. Changes nothing.</summary>
/// <param name="updateAccounts">Whether accounts that exist are changed to what they were.</param>
internal sealed class RestorePreflight(RestoreTarget target, MySqlSession session, bool updateAccounts)
{
    private static readonly string[] s_rights =
    [
        "SELECT", "INSERT", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER",
    ];

    /// <summary>A character set that servers of MariaDB have, and do not list.</summary>
    private const string Unlisted = "filename";

    private readonly List<Problem> _blockers = [];
    private readonly List<Problem> _warnings = [];
    private readonly List<string> _steps = [];

    private MySqlDetails Details => target.Details;

    private RestoreNames Names => target.Names;

    public async Task<PreparedRestore> RunAsync(CancellationToken cancellation)
    {
        await CheckServerAsync(cancellation);
        await CheckFeaturesAsync(cancellation);
        IReadOnlyList<string> creates = await target.TablesAsync(cancellation);
        if (TableDirectories.LeftOut([.. Details.Tables.Zip(creates, static (table, create) => (table.Name, create))]) is { } left)
            _warnings.Add(left with { Where = target.Source });
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
            if (session.Server.Family == "mariadb" && !rights.HasGlobal("PROCESS"))
                Block(ErrorCodes.MySqlRightMissing, $"{session.Server.Account} may not see where the live tables have their files", "grant PROCESS to the account");
            else
                _blockers.AddRange(await TableDirectories.LiveAsync(session, Names.Live, cancellation));
            await session.ExecuteAsync($"USE {SqlText.Identifier(Names.Live)}", cancellation);
            Definitions there = new(session, Names.Live);
            await there.ObjectsAsync(cancellation);
            _blockers.AddRange(there.InvalidViews.Select(view => DatabaseSwitch.InvalidView(Names.Live, view, target.Source)));
        }

        if (rights.MayReadAccounts)
            await TellOfPatternsAsync(cancellation);
        AccountPlan accounts = missing.Length == 0 ? await PlanAccountsAsync(rights, cancellation) : new AccountPlan([], [], Names.Live);
        _steps.Add(live
            ? $"replace database {Names.Live}, which is kept as {Names.Before}"
            : $"create database {Names.Live}");
        _steps.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"load {Details.Tables.Count} tables with {target.Captured.Tables!.Sum(static t => t.Rows)} rows, {Details.Sequences.Count} sequences, {Details.Objects.Count} routines, views, triggers and events"));
        _steps.AddRange(accounts.Create.Select(static account => $"create {(account.Role ? "role" : "account")} {account.Name}"));
        RestorePlan plan = new(
            target.Connection.Target, live, live ? $"database {Names.Before}" : null, _steps, await BytesNeededAsync(cancellation), _blockers, _warnings);
        return new PreparedRestore(plan, accounts, live);
    }

    private void Block(ErrorCode code, string message, string hint) => _blockers.Add(new Problem(code, message, hint, target.Source));

    private void Warn(ErrorCode code, string message, string hint) => _warnings.Add(new Problem(code, message, hint, target.Source));

    private async Task CheckServerAsync(CancellationToken cancellation)
    {
        MySqlServer server = session.Server;
        if (server.Family != Details.Family)
        {
            string[] lacks = [.. OtherFamily.Lacks(Details, await target.TablesAsync(cancellation), await target.AccountsAsync(cancellation))];
            Block(
                ErrorCodes.MySqlServerDiffers,
                $"the snapshot is of {target.Captured.Engine}, and the server is {server.Name}: definitions and accounts of one are not those of the other"
                + (lacks.Length > 0 ? $"; the server does not have {string.Join(", ", lacks)}" : ""),
                "restore to a server of the snapshot's kind; to change over, load the snapshot's schema.sql by hand, mend it, and load the rows by load.sql");
        }

        if (server.LowerCaseTableNames != Details.LowerCaseTableNames && (server.LowerCaseTableNames == 0) != (Details.LowerCaseTableNames == 0))
            Block(
                ErrorCodes.MySqlServerDiffers,
                $"names of tables are told apart by case on one server and not on the other (lower_case_table_names {Details.LowerCaseTableNames} and {server.LowerCaseTableNames})",
                "restore to a server with the same lower_case_table_names");
        if (server.PacketFor(Details.LongestRow) is { } packet)
            Block(
                ErrorCodes.MySqlPacketTooSmall,
                string.Create(CultureInfo.InvariantCulture, $"the longest row has {Details.LongestRow} bytes, and the server takes statements of {server.MaxAllowedPacket} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"run SET GLOBAL max_allowed_packet = {packet} on the server, then the restore again"));
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
        foreach (string missing in Details.Collations.Where(name => name != Unlisted && !collations.Contains(name) && !collations.Any(c => name.EndsWith("_" + c, StringComparison.Ordinal))))
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

    /// <summary>Rights on a pattern let accounts into the databases that a restore makes.</summary>
    private async Task TellOfPatternsAsync(CancellationToken cancellation)
    {
        IReadOnlyList<string?[]> patterns = await session.SelectAsync(["User", "Host", "Db"], "FROM mysql.db ORDER BY User, Host", cancellation);
        string[] let =
        [
            .. patterns.Where(row => GrantText.Covers(row[2] ?? "", Names.Staging)).Select(static row => $"{SqlText.Account(row[0] ?? "", row[1] ?? "")} by {row[2]}"),
        ];
        if (let.Length > 0)
            _steps.Add($"let be: accounts with rights on {Names.Staging} and {Names.Before} too ({string.Join(", ", let)})");
    }

    private async Task<AccountPlan> PlanAccountsAsync(CaptureRights rights, CancellationToken cancellation)
    {
        List<Account> create = [];
        List<Account> update = [];
        AccountPlan plan = new(create, update, Names.Live);
        IReadOnlyList<Account> captured = session.Server.Family == Details.Family ? await target.AccountsAsync(cancellation) : [];
        if (captured.Count > 0 && !rights.MayReadAccounts)
        {
            Block(ErrorCodes.MySqlRightMissing, "the snapshot has accounts, and the server's own may not be read", "connect as an account with ALL PRIVILEGES ON *.*");
            return plan;
        }

        foreach (Account account in captured)
        {
            if (!await ExistsAsync(account, cancellation))
                create.Add(account);
            else if (await DiffersAsync(account, cancellation))
                update.Add(account);
        }

        if (create.Count + update.Count > 0 && !rights.HasGlobal("CREATE USER"))
            Block(ErrorCodes.MySqlRightMissing, $"{session.Server.Account} may not create accounts", "connect as an account with ALL PRIVILEGES ON *.* WITH GRANT OPTION");
        await CheckAccountsAsync([.. create, .. update], rights, cancellation);
        return plan with { Logins = await LoginsAsync(captured, cancellation) };
    }

    /// <summary>Warns of accounts that somebody else's keep from being reached: the application would be refused, with the right password.</summary>
    private async Task<IReadOnlyList<Login>> LoginsAsync(IReadOnlyList<Account> captured, CancellationToken cancellation)
    {
        Account[] clients = [.. captured.Where(static account => !account.IsPlainRole && !account.Options.Contains(" ACCOUNT LOCK", StringComparison.Ordinal))];
        if (clients.Length == 0)
            return [];
        LoginOrder order = new((await LoginOrder.ReadAsync(session, cancellation)).Union(clients.Select(static account => (account.User, account.Host))));
        Login[] logins = [.. clients.SelectMany(account => order.LoginsOf(account.User, account.Host))];
        HashSet<string> ours = [.. captured.Select(static account => account.Name)];
        _warnings.AddRange(LoginOrder.Shadowed(logins.Where(login => !ours.Contains(login.Reached))).Select(problem => problem with { Where = target.Source }));
        return logins;
    }

    /// <summary>Whether an account that is there is to be changed; where it is not and yet differs, that is a warning.</summary>
    private async Task<bool> DiffersAsync(Account account, CancellationToken cancellation)
    {
        Account there = await AccountReader.ReadAsync(session, account.User, account.Host, account.IsPlainRole, cancellation);
        string differences = string.Join("; ", account.DifferencesOf(there, Names.Live));
        if (differences.Length == 0)
            return false;
        bool own = session.Server.Account == $"{account.User}@{account.Host}";
        if (updateAccounts && !own)
        {
            _steps.Add($"change account {account.Name} to what it was: {differences}");
            return true;
        }

        Warn(
            ErrorCodes.MySqlAccountDiffers, $"account {account.Name} is on the server and stays as it is, though it differs: {differences}",
            own ? "the account that restores is never changed; change it by hand if the snapshot's is the right one"
                : "restore with --update-roles if the snapshot's is the right one");
        return false;
    }

    /// <summary>What the server and our own account must have for these accounts to be made or changed.</summary>
    private async Task CheckAccountsAsync(IReadOnlyList<Account> accounts, CaptureRights rights, CancellationToken cancellation)
    {
        HashSet<string> plugins = new(
            (await session.SelectAsync(["PLUGIN_NAME"], "FROM information_schema.PLUGINS WHERE PLUGIN_STATUS = 'ACTIVE'", cancellation)).Select(static row => row[0]!),
            StringComparer.OrdinalIgnoreCase);
        foreach (Account account in accounts)
        {
            foreach (string plugin in AccountReader.Plugins(account.Create).Where(plugin => !plugins.Contains(plugin)))
                Block(
                    ErrorCodes.MySqlServerDiffers, $"account {account.Name} logs in by the authentication plugin {plugin}, which the server does not have",
                    "install the plugin on the server, then run again");
            if (!session.Server.HasPartialRevokes && account.Grants.Any(static grant => grant.StartsWith("REVOKE ", StringComparison.Ordinal)))
                Block(
                    ErrorCodes.MySqlServerDiffers, $"account {account.Name} has rights on the whole server but for some databases, which the server does not allow",
                    "run SET PERSIST partial_revokes = ON on the server, then run again");
            foreach (string proxied in account.Grants.Select(GrantText.Proxied).OfType<string>().Where(proxied => !rights.MayGrantProxy(proxied)))
                Block(
                    ErrorCodes.MySqlRightMissing, $"account {account.Name} may stand for {proxied}, and {session.Server.Account} may not grant that",
                    "connect as root, or have it run GRANT PROXY ON ''@'' TO the account WITH GRANT OPTION (''@'%' on MariaDB)");
        }
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
