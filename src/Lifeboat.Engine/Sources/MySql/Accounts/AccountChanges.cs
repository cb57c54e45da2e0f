using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>
/// What changes accounts that exist to what they were when they were captured, and back. Passwords are not in it: for each account two others, which are
/// locked, have them. Each step looks at what an account is and changes what differs, so that it can be taken again.
/// </summary>
/// <param name="ToCaptured">Whether the switch brings about the captured state, or the one before the restore.</param>
/// <param name="Database">The one that is restored: grants on others, and on their tables and routines, are left alone.</param>
internal sealed partial record AccountChanges(bool ToCaptured, string Database, IReadOnlyList<AccountChange> Accounts)
{
    /// <summary>What the names of accounts that keep passwords begin with.</summary>
    public const string KeeperPrefix = "lifeboat__";

    private const string KeeperHost = "localhost";

    private static readonly string[] s_limits =
        ["MAX_QUERIES_PER_HOUR", "MAX_UPDATES_PER_HOUR", "MAX_CONNECTIONS_PER_HOUR", "MAX_USER_CONNECTIONS"];

    /// <summary>Reads what the accounts are now; changes nothing.</summary>
    /// <param name="captured">As they shall be.</param>
    public static async Task<AccountChanges> ReadAsync(
        MySqlSession session, IReadOnlyList<Account> captured, string database, string restoreId, CancellationToken cancellation)
    {
        string mark = $"{KeeperPrefix}{restoreId}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)).AsSpan(0, 2))}_";
        List<AccountChange> changes = [];
        foreach (Account account in captured)
        {
            Account there = await AccountReader.ReadAsync(session, account.User, account.Host, account.IsPlainRole, cancellation);
            changes.Add(new AccountChange(
                account.User, account.Host, account.IsPlainRole, string.Create(CultureInfo.InvariantCulture, $"{mark}{changes.Count}"),
                AccountState.Of(account, database), AccountState.Of(there, database)));
        }

        return new AccountChanges(ToCaptured: true, database, changes);
    }

    /// <summary>Makes the accounts that keep passwords.</summary>
    public async Task PrepareAsync(MySqlSession session, IReadOnlyList<Account> captured, RunContext context, CancellationToken cancellation)
    {
        foreach ((AccountChange change, Account account) in Accounts.Zip(captured).Where(static pair => !pair.First.Role))
        {
            Account there = await AccountReader.ReadAsync(session, change.User, change.Host, change.Role, cancellation);
            await context.StepAsync($"keep the passwords of {account.Name}", async () =>
            {
                await session.ExecuteAsync($"CREATE USER {Keeper(change, captured: true)}{account.Identified} ACCOUNT LOCK", cancellation);
                await session.ExecuteAsync($"CREATE USER {Keeper(change, captured: false)}{there.Identified} ACCOUNT LOCK", cancellation);
            });
        }
    }

    public Task ForwardAsync(MySqlSession session, RunContext context, CancellationToken cancellation) => GoAsync(session, ToCaptured, context, cancellation);

    public Task BackAsync(MySqlSession session, RunContext context, CancellationToken cancellation) => GoAsync(session, !ToCaptured, context, cancellation);

    /// <summary>Drops the accounts that keep passwords, where they are.</summary>
    public async Task DropAsync(MySqlSession session, RunContext context, CancellationToken cancellation)
    {
        foreach (AccountChange change in Accounts.Where(static one => !one.Role))
            await context.StepAsync($"drop the accounts that keep passwords of {change.Name}", () => session.ExecuteAsync(
                $"DROP USER IF EXISTS {Keeper(change, captured: true)}, {Keeper(change, captured: false)}", cancellation));
    }

    private static string Keeper(AccountChange change, bool captured) => SqlText.Account(change.Keeper + (captured ? "c" : "b"), KeeperHost);

    private async Task GoAsync(MySqlSession session, bool captured, RunContext context, CancellationToken cancellation)
    {
        foreach (AccountChange change in Accounts)
            await context.StepAsync(
                $"change {change.Name} to what it was {(captured ? "when it was captured" : "before the restore")}",
                () => SetAsync(session, change, captured, cancellation));
    }

    private async Task SetAsync(MySqlSession session, AccountChange change, bool captured, CancellationToken cancellation)
    {
        AccountState wanted = captured ? change.Captured : change.Before;
        Account there = await AccountReader.ReadAsync(session, change.User, change.Host, change.Role, cancellation);
        string identified = "";
        if (!change.Role)
        {
            Account keeper = await AccountReader.ReadAsync(session, change.Keeper + (captured ? "c" : "b"), KeeperHost, role: false, cancellation);
            identified = keeper.Identified;
            if (there.Identified != identified || there.Options != wanted.Options)
            {
                await ClearAttributesAsync(session, change, cancellation);
                await session.ExecuteAsync($"ALTER USER {change.Name}{Whole(identified)}{WholeOptions(wanted.Options, session.Server)}", cancellation);
            }
        }

        HashSet<string> lost = [];
        // What others gave on another database is theirs; what the restore gave there goes with it.
        bool isTheirs(string grant) => GrantText.IsOnAnother(grant, Database) && !wanted.Grants.Contains(grant) && (captured || !change.Captured.Grants.Contains(grant));
        foreach (string grant in GrantText.Changes([.. there.GrantsFor(Database).Where(grant => !isTheirs(grant))], wanted.Grants))
        {
            IReadOnlyList<string> statements = GrantText.Statements(grant);
            // A grant on a table that is not there any more can be had, and not be given: that must not keep the rest from being put back.
            bool mayFail = !captured && grant.StartsWith("GRANT ", StringComparison.Ordinal) && GrantText.IsLate(grant);
            if (mayFail && !await session.CanAsync(statements, cancellation))
                lost.Add(grant);
            for (int i = 0; i < statements.Count && !mayFail; i++)
                await session.ExecuteAsync(statements[i], cancellation);
        }

        Account now = await AccountReader.ReadAsync(session, change.User, change.Host, change.Role, cancellation);
        if (now.Identified != identified || now.Options != wanted.Options || !now.GrantsFor(Database).Where(grant => !isTheirs(grant)).ToHashSet().SetEquals(wanted.Grants.Except(lost)))
            throw new LifeboatException(
                ErrorCodes.RestoredDiffers, $"account {change.Name} is not what it should be after it was changed",
                "compare SHOW CREATE USER and SHOW GRANTS with users.sql in the snapshot", session.Connection.Source);
    }

    /// <summary>An empty password is printed as none, which would leave the one that is there.</summary>
    private static string Whole(string identified) => identified.Length == 0 ? " IDENTIFIED VIA mysql_native_password USING ''"
        : PluginAlone().IsMatch(identified) ? $"{identified} AS ''" : identified;

    /// <summary>All options by name: those that are not printed are at their defaults.</summary>
    private static string WholeOptions(string options, MySqlServer server)
    {
        Match parts = OptionParts().Match(options);
        string rest = parts.Groups["rest"].Value;
        if (!rest.Contains(" ACCOUNT ", StringComparison.Ordinal))
            rest += " ACCOUNT UNLOCK";
        if (!rest.Contains(" PASSWORD EXPIRE", StringComparison.Ordinal))
            rest += " PASSWORD EXPIRE DEFAULT";
        if (server.Family == "mysql" && !rest.Contains(" FAILED_LOGIN_ATTEMPTS ", StringComparison.Ordinal))
            rest += " FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0";
        IEnumerable<string> limits = (server.Family == "mysql" ? s_limits : [.. s_limits, "MAX_STATEMENT_TIME"])
            .Select(limit => Regex.Match(parts.Groups["limits"].Value, $" {limit} [0-9.]+") is { Success: true } set ? set.Value : $" {limit} 0");
        string require = parts.Groups["require"].Value;
        return $"{(require.Length == 0 ? " REQUIRE NONE" : require)} WITH{string.Concat(limits)}{rest}{parts.Groups["attribute"].Value}";
    }

    /// <summary>MySQL merges what is given into an account's comment and attributes.</summary>
    private static async Task ClearAttributesAsync(MySqlSession session, AccountChange change, CancellationToken cancellation)
    {
        if (session.Server.Family != "mysql")
            return;
        string? keys = await session.SelectOneAsync(
            "JSON_KEYS(ATTRIBUTE)", $"FROM information_schema.USER_ATTRIBUTES WHERE USER = {SqlText.Literal(change.User)} AND HOST = {SqlText.Literal(change.Host)}", cancellation);
        if (keys is null or "[]")
            return;
        using JsonDocument names = JsonDocument.Parse(keys);
        string cleared = string.Join(", ", names.RootElement.EnumerateArray().Select(static key => $"{key.GetRawText()}: null"));
        await session.ExecuteAsync($"ALTER USER {change.Name} ATTRIBUTE {SqlText.Literal($"{{{cleared}}}")}", cancellation);
    }

    [GeneratedRegex(@"^ IDENTIFIED WITH '[^']*'$")]
    private static partial Regex PluginAlone();

    [GeneratedRegex(
        @"^(?<require> REQUIRE .*?)?(?<limits> WITH MAX_.*?)?(?<rest>(?: ACCOUNT | PASSWORD ).*?)?(?<attribute> ATTRIBUTE '.*)?$", RegexOptions.Singleline)]
    private static partial Regex OptionParts();
}

/// <param name="Keeper">What the names of the two accounts begin with that keep its passwords: <c>…c</c> the captured one, <c>…b</c> the one before.</param>
internal sealed record AccountChange(string User, string Host, bool Role, string Keeper, AccountState Captured, AccountState Before)
{
    public string Name => SqlText.Account(User, Host);
}

/// <summary>What an account is, but for its password.</summary>
internal sealed record AccountState(string Options, IReadOnlyList<string> Grants)
{
    public static AccountState Of(Account account, string database) => new(account.Options, account.GrantsFor(database));
}
