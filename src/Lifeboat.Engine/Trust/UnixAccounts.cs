using System.Globalization;

namespace Lifeboat.Engine.Trust;

/// <summary>This machine's own users and groups (passwd(5), group(5)): for messages, and to tell a group that is one user's alone.</summary>
internal sealed class UnixAccounts
{
    private readonly string[][] _users = Read("/etc/passwd");
    private readonly string[][] _groups = Read("/etc/group");

    public string Describe(uint uid) =>
        _users.FirstOrDefault(user => Number(user, 2) == uid) is { } found ? $"user {found[0]}" : string.Create(CultureInfo.InvariantCulture, $"user {uid}");

    /// <summary>Whether nobody but some users is in a group. One that is not listed here may have anybody in it.</summary>
    public bool IsOnlyOf(uint gid, params uint[] allowed)
    {
        if (_groups.FirstOrDefault(group => Number(group, 2) == gid) is not [_, _, _, var members, ..])
            return false;
        HashSet<string> names = [.. _users.Where(user => Number(user, 2) is { } uid && allowed.Contains(uid)).Select(static user => user[0])];
        return members.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).All(names.Contains)
            && _users.Where(user => Number(user, 3) == gid).All(user => names.Contains(user[0]));
    }

    private static uint? Number(string[] fields, int index) =>
        fields.Length > index && uint.TryParse(fields[index], NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : null;

    private static string[][] Read(string file)
    {
        try
        {
            return [.. File.ReadLines(file).Select(static line => line.Split(':'))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // a container may have none: then nobody is known
        }
    }
}
