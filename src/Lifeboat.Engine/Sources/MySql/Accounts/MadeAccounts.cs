using System.Collections.Concurrent;
using Lifeboat.Engine.Sources.MySql.Sessions;

namespace Lifeboat.Engine.Sources.MySql.Accounts;

/// <summary>
/// The accounts that the restores of one run made on servers. Two databases of one server were captured with the same accounts: when the first has made
/// them, the second finds them there, though they were not when it was planned, and takes them for its own.
/// </summary>
internal sealed class MadeAccounts
{
    private readonly ConcurrentDictionary<(string Server, string Account), bool> _made = new();

    public void Add(MySqlSession session, Account account) => _made[(session.Server.Place, account.Name)] = true;

    public bool Has(MySqlSession session, Account account) => _made.ContainsKey((session.Server.Place, account.Name));
}
