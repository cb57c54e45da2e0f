using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.MySql.Sessions;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>Which of a snapshot's accounts are created on the target, and which are changed there.</summary>
/// <param name="Create">Accounts that are not there; their grants are on the database that is restored.</param>
/// <param name="Update">Accounts that are there and are changed to what they were.</param>
/// <param name="Database">The database that is restored.</param>
internal sealed partial record AccountPlan(IReadOnlyList<Account> Create, IReadOnlyList<Account> Update, string Database)
{
    /// <summary>Logins that the captured accounts are for, and which accounts they reach on this server when the missing ones are made.</summary>
    public IReadOnlyList<Login> Logins { get; init; } = [];

    /// <summary>Statements for grants on single tables and routines, for when those are there.</summary>
    public IReadOnlyList<string> LateGrants => [.. Create.SelectMany(account => account.GrantsFor(Database)).Where(GrantText.IsLate)];

    /// <summary>A statement with a password's hash left out.</summary>
    public static string WithoutPassword(string sql) => PasswordHash().Replace(sql, " IDENTIFIED …");

    /// <summary>Accounts first, then what they are granted on databases and the server, then their default roles.</summary>
    /// <param name="note">Puts the statements that drop what was made onto the disk, before each account is made.</param>
    public async Task ApplyAsync(
        MySqlSession session, MadeAccounts made, string source, Func<IReadOnlyList<string>, Task> note, CancellationToken cancellation)
    {
        List<string> drops = [];
        foreach (Account account in Create.Where(account => !made.Has(session, account)))
        {
            await note([.. drops, account.Drop]);
            try
            {
                await session.ExecuteAsync(account.CreateNew, cancellation);
            }
            catch (LifeboatException e) when (MySqlError.Of(e)?.Number == MySqlError.CannotUser)
            {
                await note(drops);
                throw new LifeboatException(
                    ErrorCodes.MySqlNameTaken, $"account {account.Name} cannot be made: somebody has made it since the restore was planned",
                    "run the restore again: an account that is there is kept", source, e);
            }

            drops.Add(account.Drop);
            made.Add(session, account);
        }

        foreach (string grant in Create.SelectMany(static a => a.Grants).Where(static g => !GrantText.IsLate(g))
            .OrderBy(static g => g.StartsWith("SET DEFAULT ROLE", StringComparison.Ordinal) || g.StartsWith("ALTER USER", StringComparison.Ordinal)))
            await session.ExecuteAsync(grant, cancellation);
    }

    /// <summary>Compares grants on single tables and routines, which were given last, with what the server has.</summary>
    /// <exception cref="LifeboatException">One is not there.</exception>
    public static async Task RequireAsync(MySqlSession session, IReadOnlyList<string> grants, string source, CancellationToken cancellation)
    {
        foreach (IGrouping<string, string> account in grants.GroupBy(GrantText.Grantee))
        {
            IEnumerable<string> shown = (await session.ShowAsync($"SHOW GRANTS FOR {account.Key}", cancellation)).Select(static row => GrantText.Normal(row[0]));
            if (account.Except(shown).ToArray() is { Length: > 0 } missing)
                throw new LifeboatException(
                    ErrorCodes.RestoredDiffers, $"the server does not have what {account.Key} was granted: {string.Join("; ", missing)}",
                    "the switch is taken back; look at what the server does with this grant when it is run by hand", source);
        }
    }

    [GeneratedRegex(@" IDENTIFIED (?:BY|VIA|WITH) .*$", RegexOptions.Singleline)]
    private static partial Regex PasswordHash();
}
