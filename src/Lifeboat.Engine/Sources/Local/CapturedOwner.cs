using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>An owner in <c>metadata.json</c>: by number and, where it had one, by name.</summary>
public sealed record CapturedOwner(uint Uid, uint Gid, string? User, string? Group)
{
    /// <summary>What a person should know before files get these owners on this machine.</summary>
    internal static IEnumerable<Problem> Warnings(VerifiedSnapshot snapshot, string source, IEnumerable<CapturedOwner> owners)
    {
        if (OperatingSystem.IsWindows())
            yield break;
        if (snapshot.IsDoubted)
        {
            yield return new Problem(
                ErrorCodes.OwnersNotRestored,
                "nothing shows who wrote the snapshot: restored files will belong to the user who runs this, and none of them will be setuid or setgid",
                "look at what was restored, and give it to the application's user with chown",
                source);
            yield break;
        }

        CapturedOwner[] all = [.. owners];
        OwnerNames names = new();
        foreach ((uint uid, string? user) in all.Select(static owner => (owner.Uid, owner.User)).Distinct())
        {
            if (user is not null && names.User(uid) is var here && here != user)
                yield return Differs(source, "user", uid, user, here);
        }

        foreach ((uint gid, string? group) in all.Select(static owner => (owner.Gid, owner.Group)).Distinct())
        {
            if (group is not null && names.Group(gid) is var here && here != group)
                yield return Differs(source, "group", gid, group, here);
        }

        if (!UnixFolder.IsRoot && all.Length > 0)
            yield return new Problem(
                ErrorCodes.OwnersNotRestored,
                "not running as root: restored files will belong to the user who runs this, and owners are not verified",
                "run as root to restore owners",
                source);
    }

    private static Problem Differs(string source, string what, uint id, string then, string? here) => new(
        ErrorCodes.OwnerNamesDiffer,
        string.Create(
            CultureInfo.InvariantCulture,
            $"{what} {id} was {then} where this was captured and is {here ?? "nobody"} here; files keep the number"),
        $"create the {what} {then} with number {id}, or change the owner after the restore",
        source);
}
