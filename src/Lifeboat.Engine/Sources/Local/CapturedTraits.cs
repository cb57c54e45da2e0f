using System.Globalization;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>A file's mode, owner and time in <c>metadata.json</c>.</summary>
/// <param name="Mode">Octal, as chmod(1) takes it; null where it was captured on Windows.</param>
/// <param name="Owner">Null where it was captured on Windows.</param>
/// <param name="Modified">Seconds since 1970 UTC, a full stop and nine digits.</param>
public sealed record CapturedTraits(string? Mode, CapturedOwner? Owner, string Modified)
{
    internal static CapturedTraits Of(FileStatus status, OwnerNames names) => new(
        status.Mode is { } mode ? "0" + Convert.ToString(mode, 8) : null,
        status.Owner is { } owner ? new CapturedOwner(owner.Uid, owner.Gid, names.User(owner.Uid), names.Group(owner.Gid)) : null,
        status.Modified.ToString());

    /// <summary>The same of traits alone; the names of owners are not known.</summary>
    internal static CapturedTraits Of(FileTraits traits) => new(
        traits.Mode is { } mode ? "0" + Convert.ToString(mode, 8) : null,
        traits.Owner is { } owner ? new CapturedOwner(owner.Uid, owner.Gid, null, null) : null,
        traits.Modified.GetValueOrDefault().ToString());

    /// <summary>What of them is taken from a snapshot; see <see cref="VerifiedSnapshot.IsDoubted"/>.</summary>
    internal CapturedTraits TakenFrom(VerifiedSnapshot snapshot) =>
        snapshot.IsDoubted ? this with { Mode = Of(ToTraits().TakenFrom(snapshot)).Mode, Owner = null } : this;

    /// <summary>What to set on a restored file; whatever is not of the form is left out.</summary>
    internal FileTraits ToTraits()
    {
        int mode = 0;
        bool valid = Mode is { Length: > 0 and < 7 };
        foreach (char digit in Mode ?? "")
        {
            valid &= digit is >= '0' and <= '7';
            mode = (mode << 3) | (digit - '0');
        }

        return new FileTraits(
            valid && mode <= 0xFFF ? mode : null,
            Owner is { Uid: not uint.MaxValue, Gid: not uint.MaxValue } owner ? new Owner(owner.Uid, owner.Gid) : null,
            FileTime.TryParse(Modified, out FileTime time) ? time : null);
    }

    /// <summary>Commands that give a file these traits by hand; empty where none are known.</summary>
    internal IEnumerable<string> Commands(string quotedPath)
    {
        FileTraits traits = ToTraits();
        if (traits.Owner is { } owner)
            yield return string.Create(CultureInfo.InvariantCulture, $"chown {owner} {quotedPath}    # as root");
        if (traits.Mode is not null)
            yield return $"chmod {Mode} {quotedPath}";
        if (traits.Modified is { } time)
            yield return $"touch -d @{time} {quotedPath}";
    }
}
