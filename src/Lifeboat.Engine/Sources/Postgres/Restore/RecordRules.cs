using Lifeboat.Engine.Sources.Postgres.Extensions;
using Lifeboat.Engine.Sources.Postgres.Owners;
using Lifeboat.Engine.Sources.Postgres.Roles;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

/// <summary>
/// What a journal's record of a database's switch may hold beside names: numbers, words of a closed list, and statements about roles, each of them lexed and of
/// a form that a restore writes. All else is put into SQL as an identifier or a literal.
/// </summary>
internal static class RecordRules
{
    /// <exception cref="Errors.LifeboatException">It holds something else.</exception>
    public static DatabaseSwitchRecord Require(DatabaseSwitchRecord record, string source)
    {
        SwitchNames.RequireWhole(source, record.IncomingMade, record.OutgoingMade);
        if (record.Changes is { } changes)
            SwitchNames.RequireWhole(source, changes.CapturedGrants, changes.BeforeGrants);
        MadeRole[] made = [.. record.IncomingMade.Roles, .. record.OutgoingMade.Roles];
        foreach (string? number in new[] { record.IncomingOid, record.LiveOid }.Concat(made.Select(static role => role.Oid)))
        {
            if (number is not null && !(number.Length is > 0 and < 20 && number.All(char.IsAsciiDigit)))
                throw SwitchNames.Foreign(source, $"the object id {number}");
        }

        if (record.LoadRoles.FirstOrDefault(static role => !LoadRole.Is(role)) is { } load)
            throw SwitchNames.Foreign(source, $"the role {load}");
        if (record.IncomingAccess?.Acl?.FirstOrDefault(static grant => grant.Privilege is not ("CREATE" or "CONNECT" or "TEMPORARY" or "TEMP")) is { } given)
            throw SwitchNames.Foreign(source, $"the right {given.Privilege}");
        if (record.BuiltAs is { } name && !KnownExtensions.All.Any(known => known.CreatedInDatabase == name))
            throw SwitchNames.Foreign(source, $"the database {name}");
        Grant[] grants =
            [.. record.IncomingMade.Given, .. record.OutgoingMade.Given, .. record.Changes?.CapturedGrants ?? [], .. record.Changes?.BeforeGrants ?? []];
        if (grants.OfType<ParameterGrant>().FirstOrDefault(static one => !one.IsKnown) is { } right)
            throw SwitchNames.Foreign(source, $"the right {right.Privilege}");
        foreach (string sql in (record.Changes?.ToCaptured ?? []).Concat(record.Changes?.ToBefore ?? []))
        {
            if (!IsOfRole(sql))
                throw SwitchNames.Foreign(source, "a statement that is not about a role");
        }

        return record;
    }

    /// <summary>Whether a text is one statement about one role: its attributes, settings, comment or label.</summary>
    private static bool IsOfRole(string sql)
    {
        if (Statements(sql) is not [{ IsMeta: false } statement])
            return false;
        IReadOnlyList<SqlToken> tokens = statement.Tokens;
        bool resets = tokens.Count == 5 && tokens[0].Is("alter") && tokens[1].Is("role") && tokens[3].Is("reset") && tokens[4].Is("all");
        return resets || GlobalStatement.From(statement).Kind is GlobalKind.RoleAttributes or GlobalKind.RoleSetting or GlobalKind.RoleRemark;
    }

    private static SqlStatement[] Statements(string sql)
    {
        try
        {
            return [.. SqlStatements.Split(sql)];
        }
        catch (FormatException)
        {
            return []; // a quote is never closed
        }
    }
}
